"""The deduplication contract on every database, and the plans of its statements."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import event, func, select

from adapters.sql.database import Database
from adapters.sql.processed_events.processed_events import SqlProcessedEvents
from adapters.sql.processed_events.statements import PRUNE_BATCH, ProcessedStatements
from adapters.sql.schema.dialect import DatabaseNow
from adapters.sql.schema.tables import event_holds, processed_events
from domain.model.consuming.lease import EventKey, ProcessingLease
from domain.model.errors import ProcessedEventsUnavailableError
from tests.contracts.deduplication_port import DeduplicationPortContract, Memory, a_key
from tests.support.databases.databases import Clock, Place
from tests.support.doubles.delivery import seeded
from tests.unit.adapters.sql.outbox.test_outbox import broken

pytestmark = pytest.mark.slow


class TestSqlProcessedEvents(DeduplicationPortContract):
    @pytest.fixture
    def memory(self, database: Database, clock: Clock) -> Memory:
        port = SqlProcessedEvents(database, group="crm", now=clock.in_sql)
        others = SqlProcessedEvents(database, group="warehouse", now=clock.in_sql)
        return Memory(port, clock, others, lambda: SqlProcessedEvents(broken(database), group="crm"))


def test_more_than_a_batch_is_erased_at_once(database: Database, clock: Clock) -> None:
    port, count = SqlProcessedEvents(database, group="crm", now=clock.in_sql), PRUNE_BATCH + 10
    for _ in range(2):
        answer = port.acquire([a_key() for _ in range(count // 2)], lease_seconds=1)
        port.complete([lease for lease in answer if isinstance(lease, ProcessingLease)], retention_seconds=10)
    clock.advance(10)

    assert port.prune() == count
    with database.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(processed_events)).scalar_one() == 0


def test_time_is_the_databases_own(database: Database) -> None:
    port, before = SqlProcessedEvents(database, group="crm"), time.time()
    port.acquire([a_key()], lease_seconds=60)

    with database.engine.connect() as connection:
        until = connection.execute(select(event_holds.c.expires_at)).scalar_one()
    assert before + 59.9 < until < time.time() + 60.1


def test_consumers_that_compete_for_events_lease_each_exactly_once(place: Place) -> None:
    keys = [a_key() for _ in range(12)]

    def work(number: int) -> Counter[EventKey]:
        database, random, held = place.open(), seeded(number), Counter[EventKey]()
        memory = SqlProcessedEvents(database, group="crm")

        def one(_: int) -> None:
            some = random.sample(keys, 6)
            leases = [
                each for each in memory.acquire(some, lease_seconds=60) if isinstance(each, ProcessingLease)
            ]
            held.update(lease.key for lease in leases)
            memory.complete(leases, retention_seconds=3600)

        with ThreadPoolExecutor(3) as threads:
            list(threads.map(one, range(30)))
        database.close()
        return held

    with ThreadPoolExecutor(3) as processes:
        held = sum(processes.map(work, range(3)), Counter[EventKey]())

    assert held == dict.fromkeys(keys, 1)


def test_concurrent_requests_share_transactions(database: Database) -> None:
    memory, keys = SqlProcessedEvents(database, group="crm"), [[a_key(), a_key()] for _ in range(12)]
    begun: list[object] = []

    with ThreadPoolExecutor(len(keys)) as threads:
        with database.writing(ProcessedEventsUnavailableError) as connection:
            if not database.is_sqlite:
                connection.exec_driver_sql("LOCK TABLE event_holds IN EXCLUSIVE MODE")
            event.listen(database.engine, "begin", begun.append)
            answers = [threads.submit(memory.acquire, each, lease_seconds=60) for each in keys]
            time.sleep(0.3)  # two of them arrive before the lock is released: enough for a shared transaction
        leases = [answer.result() for answer in answers]

    leased = [[each.key for each in lease if isinstance(each, ProcessingLease)] for lease in leases]
    assert len(begun) < len(keys)
    assert leased == keys


def test_no_statement_scans_the_processed_events(sqlite_place: Place) -> None:
    database = sqlite_place.open()
    statements = vars(ProcessedStatements(database.engine.dialect.name, DatabaseNow()))

    with database.engine.connect() as connection:
        for name, statement in statements.items():
            text = str(statement.compile(database.engine))
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", ("[]",) * text.count("?")).all()
            scans = [step.detail for step in plan if step.detail.startswith("SCAN")]
            assert all("row_of_events" in scan for scan in scans) or name == "prune_leases", name
    database.close()


def test_acquire_uses_an_index_when_statistics_are_outdated(database: Database) -> None:
    """Statistics lag behind; without the index, `acquire` would read all events of the group."""
    if database.is_sqlite:
        pytest.skip("SQLite has no automatic statistics")
    port = SqlProcessedEvents(database, group="crm")
    statement = ProcessedStatements("postgresql", DatabaseNow()).completed.compile(database.engine)
    about = {"of_group": "crm", "rows": json.dumps([(uuid4().hex, "", "") for _ in range(100)])}
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE processed_events")
    port.complete([ProcessingLease(a_key(), uuid4()) for _ in range(3000)], retention_seconds=3600)

    with database.engine.connect() as connection:
        explain, values = f"EXPLAIN {statement}", statement.construct_params(about)
        plan = "\n".join(connection.exec_driver_sql(explain, values).scalars())

    assert "using processed_events_pkey" in plan
    assert "Index Cond: (((consumer_group)::text = 'crm'::text) AND (interaction_id = ANY" in plan
