"""The contract of the store of jobs on every database, and properties of databases only."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, insert, select, update

from adapters.sql.database import Database
from adapters.sql.erasures.erasures import SqlErasures
from adapters.sql.jobs.additions import NewJob, add_all
from adapters.sql.jobs.claiming import CLAIM_LOCK, JobClaims
from adapters.sql.jobs.jobs import SqlJobs
from adapters.sql.jobs.rows import new_row
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.dialect import DatabaseNow
from adapters.sql.schema.tables import jobs
from domain.model.erasures import Erasure
from domain.model.errors import IdempotencyConflictError, JobStoreUnavailableError
from domain.model.events.erased import ErasureCause
from domain.model.identity import Interaction
from domain.model.jobs import Job, JobCursor, JobKey, JobQuery
from tests.contracts.job_store_port import JobStorePortContract, KeptJobs
from tests.support.databases.databases import Clock, Place
from tests.support.samples.jobs import HALFWAY, QUEUE, a_result, an_order

pytestmark = pytest.mark.slow

ASKED = {"queues": [QUEUE], "tenant_limit": None, "lease_seconds": 60.0}


def broken(database: Database) -> Database:
    """Drop the tables of a database."""
    with database.engine.begin() as connection:
        for table in ("jobs", "job_units", "outbox"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    return database


class TestSqlJobs(JobStorePortContract):
    @pytest.fixture
    def kept(self, place: Place, database: Database, clock: Clock) -> Iterator[KeptJobs]:
        others = []

        def reopened() -> SqlJobs:
            others.append(place.open())
            return SqlJobs(others[-1], now=clock.in_sql)

        port, outbox = SqlJobs(database, now=clock.in_sql), SqlOutbox(database, now=clock.in_sql)
        yield KeptJobs(port, outbox, clock, reopened, lambda: SqlJobs(broken(database)))
        for other in others:
            other.close()


@pytest.mark.parametrize(
    ("index", "call"),
    [
        ("jobs_active", lambda port: port.counts()),
        ("jobs_active", lambda port: port.due(10)),
        ("jobs_active", lambda port: port.claim([QUEUE], limit=1, lease_seconds=60, tenant_limit=2)),
        ("jobs_finished", lambda port: port.expired(10, jobs_keep_seconds=1, recordings_keep_seconds=1)),
        ("jobs_recordings", lambda port: port.known_recordings(["a"])),
        ("jobs_of_tenant", lambda port: port.page(JobQuery(uuid4()))),
        ("jobs_of_tenant", lambda port: port.page(JobQuery(uuid4(), behind=JobCursor(1.0, uuid4())))),
    ],
    ids=["counts", "due", "claim", "expired", "recordings", "page", "next page"],
)
def test_frequent_queries_use_an_index(
    database: Database, index: str, call: Callable[[SqlJobs], object]
) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        if "FROM jobs" in statement:
            asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    call(SqlJobs(database))
    event.remove(database.engine, "before_cursor_execute", note)
    assert asked

    with database.engine.begin() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # an empty table needs no index
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        plans = [connection.exec_driver_sql(f"{explain} {query}", values).all() for query, values in asked]

    assert all(index in str(plan) for plan in plans)


def test_a_look_that_finds_no_job_is_only_read(database: Database) -> None:
    port = SqlJobs(database)
    port.add(an_order())
    port.claim([QUEUE], limit=1, lease_seconds=60)
    said: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: said.append(told[2]))

    assert port.claim([QUEUE], limit=1, lease_seconds=60) == ()

    assert said
    assert not [each for each in said if "UPDATE" in each or "IMMEDIATE" in each or "advisory" in each]


@pytest.mark.process
def test_claims_that_wait_too_long_for_others_find_nothing(postgresql_place: Place) -> None:
    """The database works, so workers must not treat it as away."""
    database = postgresql_place.open()
    port = SqlJobs(database)
    port.add(an_order())
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({CLAIM_LOCK})")

        assert port.claim([QUEUE], limit=1, lease_seconds=60) == ()

    assert len(port.claim([QUEUE], limit=1, lease_seconds=60)) == 1
    database.close()


@pytest.mark.parametrize("count", [10, 2000])
def test_a_claim_reads_no_more_rows_however_many_jobs_of_a_tenant_wait(
    sqlite_place: Place, count: int
) -> None:
    """SQLite counts the steps of its virtual machine."""
    database, steps = sqlite_place.open(), 0
    tenant, moment = uuid4(), DatabaseNow()
    rows = [new_row(an_order(tenant_id=tenant)) for _ in range(count)]
    times = dict.fromkeys(("created_at", "updated_at", "due_at", "lease_until"), 1.0)
    with database.engine.begin() as connection:
        connection.execute(insert(jobs), [row | times for row in rows])

    def note() -> int:
        nonlocal steps
        steps += 1
        return 0

    with database.engine.begin() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.set_progress_handler(note, 100)
        JobClaims(moment).lease(connection, ASKED | {"new_token": uuid4()}, 2)
        driver.set_progress_handler(None, 0)
    database.close()

    assert steps < 100


def test_a_job_that_this_version_cannot_read_stops_no_other(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    port, tenant = SqlJobs(database), uuid4()
    strange, known = (port.add(an_order(tenant_id=tenant)) for _ in range(2))
    with database.engine.begin() as connection:
        options = '{"secret": "of a newer version"}'
        connection.execute(update(jobs).where(jobs.c.id == strange.id).values(options=options))

    leases = port.claim([QUEUE], limit=10, lease_seconds=60)

    assert [lease.job.id for lease in leases] == [known.id]
    assert [job.id for job in port.page(JobQuery(tenant)).jobs] == [known.id]
    assert {vars(line)["interaction_id"] for line in caplog.records} == {str(strange.id)}
    assert "secret" not in caplog.text
    assert strange.id not in dict(port.due(10))  # it is left to a newer worker, without a lease and a failure
    with database.engine.connect() as connection:
        left = connection.execute(select(jobs).where(jobs.c.id == strange.id)).one()
    assert (left.state, left.token, left.failures) == ("queued", None, 0)


@pytest.mark.parametrize("source_url", [None, "https://host/call.wav"], ids=["upload", "source"])
def test_an_order_whose_commit_was_not_answered_is_one_job(
    database: Database, source_url: str | None
) -> None:
    """The write is repeated, and finds what the first one stored."""
    order = an_order(source_url=source_url)
    new = NewJob(order, new_row(order))
    with database.writing(JobStoreUnavailableError) as connection:
        (first,) = add_all(connection, [new], DatabaseNow())
    with database.writing(JobStoreUnavailableError) as connection:
        (second,) = add_all(connection, [new], DatabaseNow())

    assert first == second
    assert SqlJobs(database).counts().queued == 1


def test_jobs_that_are_added_at_the_same_time_share_a_transaction(database: Database) -> None:
    key = JobKey(uuid4(), "a key", "a fingerprint")
    orders = [
        an_order(key=key),
        an_order(key=key),
        an_order(key=key._replace(fingerprint="other")),
        an_order(),
    ]
    new = [NewJob(order, new_row(order)) for order in orders]

    with database.writing(JobStoreUnavailableError) as connection:
        first, again, conflict, other = add_all(connection, new, DatabaseNow())

    assert first == again
    assert isinstance(conflict, IdempotencyConflictError)
    assert isinstance(other, Job)
    assert SqlJobs(database).counts().queued == 2


def test_an_order_that_cannot_be_stored_harms_no_other(database: Database) -> None:
    port = SqlJobs(database)

    port.add(an_order(metadata={"half of a pair": "\ud800"}))
    port.add(an_order())

    assert port.counts().queued == 2


@pytest.mark.parametrize("end", ["erase", "expired"])
def test_the_transcript_of_a_deleted_job_is_gone_from_the_file(sqlite_place: Place, end: str) -> None:
    database = sqlite_place.open()
    port = SqlJobs(database)
    port.add(an_order())
    (lease,) = port.claim([QUEUE], limit=1, lease_seconds=60)
    port.advance(lease, HALFWAY, units={"a": '"xylophone"'})
    port.complete(lease, a_result("xylophone", "Xylophone."), None)
    if end == "erase":
        interaction = Interaction(lease.job.id, lease.job.order.identity.tenant_id)
        SqlErasures(database).erase(interaction, Erasure("alice", ErasureCause.REQUEST, announces=True))
    else:
        port.expired(1, jobs_keep_seconds=0, recordings_keep_seconds=0)
    database.close()

    files = list(Path(sqlite_place.url.removeprefix("sqlite:///")).parent.iterdir())

    assert files
    assert not [file.name for file in files if b"xylophone" in file.read_bytes()]
