"""PostgreSQL behind PgBouncer in transaction mode, which gives each transaction another session."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import make_url

from adapters.sql.database import Database
from adapters.sql.engines.postgresql import TRANSACTION_LIMITS
from adapters.sql.idempotency import SqlIdempotency
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.processed_events.processed_events import SqlProcessedEvents
from bootstrap.factories.database import prepare_database
from tests.contracts.deduplication_port import DeduplicationPortContract, Memory
from tests.contracts.idempotency_port import IdempotencyKeys, IdempotencyPortContract
from tests.support.databases.databases import Clock, PostgreSqlServer
from tests.support.databases.pgbouncer import SESSIONS, PgBouncer, pgbouncer_before
from tests.support.databases.processes import run_together
from tests.support.samples.factories import an_event
from tests.unit.adapters.sql.outbox.test_outbox import broken

pytestmark = [pytest.mark.process, pytest.mark.slow]

PROCESSES = SESSIONS + 1
EVENTS = 60
"""Events that each process publishes: far more than the executions after which psycopg prepares."""


@pytest.fixture(scope="module")
def pooler(postgresql: PostgreSqlServer) -> Iterator[PgBouncer]:
    with pgbouncer_before(postgresql) as pooler:
        yield pooler


@pytest.fixture
def database(pooler: PgBouncer) -> Iterator[Database]:
    database = prepare_database(pooler.new_url())
    yield database
    database.close()


def test_processes_that_share_sessions_publish_each_event_once(pooler: PgBouncer) -> None:
    results = run_together(PROCESSES, "publish", pooler.new_url())

    added = [each for result in results for each in result["added"]]
    leased = [each for result in results for each in result["leased"]]
    assert len(added) == PROCESSES * EVENTS
    assert sorted(leased) == sorted(added)


def test_a_transaction_has_limits_and_leaves_none_to_other_clients(database: Database) -> None:
    SqlOutbox(database).add(an_event())
    names = sorted(TRANSACTION_LIMITS)

    with database.engine.connect() as connection:
        inside = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names]
    url = make_url(str(database.engine.url)).set(drivername="postgresql").render_as_string()
    outside = []
    for _ in range(2 * SESSIONS):
        with psycopg.connect(url, prepare_threshold=None) as other:
            outside += [row for name in names for row in other.execute(f"SHOW {name}").fetchone() or ()]

    assert inside == [TRANSACTION_LIMITS[name] for name in names]
    assert set(outside) == {"0"}


class TestIdempotencyBehindAPooler(IdempotencyPortContract):
    @pytest.fixture
    def keys(self, database: Database, clock: Clock) -> IdempotencyKeys:
        port = SqlIdempotency(database, now=clock.in_sql)
        return IdempotencyKeys(port, clock, lambda: SqlIdempotency(broken(database)))


class TestProcessedEventsBehindAPooler(DeduplicationPortContract):
    @pytest.fixture
    def memory(self, database: Database, clock: Clock) -> Memory:
        port = SqlProcessedEvents(database, group="crm", now=clock.in_sql)
        others = SqlProcessedEvents(database, group="warehouse", now=clock.in_sql)
        return Memory(port, clock, others, lambda: SqlProcessedEvents(broken(database), group="crm"))
