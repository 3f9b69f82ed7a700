"""The memory of consumers on every database."""

import time

import pytest
from sqlalchemy import func, select

from adapters.sql.database import Database
from adapters.sql.processed_events import SqlProcessedEvents
from adapters.sql.processed_statements import PRUNE_BATCH
from adapters.sql.tables import event_holds, processed_events
from domain.model.processed import Hold
from tests.contracts.processed_events_port import Memory, ProcessedEventsPortContract, a_key
from tests.databases import Clock
from tests.unit.adapters.sql.test_outbox import broken


class TestSqlProcessedEvents(ProcessedEventsPortContract):
    @pytest.fixture
    def memory(self, database: Database, clock: Clock) -> Memory:
        port = SqlProcessedEvents(database, group="crm", now=clock.in_sql)
        others = SqlProcessedEvents(database, group="warehouse", now=clock.in_sql)
        return Memory(port, clock, others, lambda: SqlProcessedEvents(broken(database), group="crm"))


def test_more_than_a_batch_is_erased_at_once(database: Database, clock: Clock) -> None:
    port, count = SqlProcessedEvents(database, group="crm", now=clock.in_sql), PRUNE_BATCH + 10
    for _ in range(2):
        answer = port.claim([a_key() for _ in range(count // 2)], lease_seconds=1)
        port.finish([hold for hold in answer if isinstance(hold, Hold)], remember_seconds=10)
    clock.advance(10)

    assert port.prune() == count
    with database.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(processed_events)).scalar_one() == 0


def test_time_is_the_databases_own(database: Database) -> None:
    port, before = SqlProcessedEvents(database, group="crm"), time.time()
    port.claim([a_key()], lease_seconds=60)

    with database.engine.connect() as connection:
        until = connection.execute(select(event_holds.c.expires_at)).scalar_one()
    assert before + 59.9 < until < time.time() + 60.1
