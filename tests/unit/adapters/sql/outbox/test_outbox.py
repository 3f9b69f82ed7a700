"""The outbox contract on every database, and properties of databases only."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, insert, select, update

from adapters.sql.database import Database
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.dialect import DatabaseNow
from adapters.sql.schema.tables import outbox
from domain.model.errors import OutboxUnavailableError
from domain.model.outbox import OutboxState, Postponed, Published
from tests.contracts.outbox_port import KeptOutbox, OutboxPortContract
from tests.support.databases.databases import LIBRARIES, Clock, Place
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.slow


def broken(database: Database) -> Database:
    """Drop the tables of a database."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE outbox")
        connection.exec_driver_sql("DROP TABLE idempotency_keys")
        connection.exec_driver_sql("DROP TABLE api_keys")
        connection.exec_driver_sql("DROP TABLE event_holds")
        connection.exec_driver_sql("DROP TABLE processed_events")
    return database


class TestSqlOutbox(OutboxPortContract):
    @pytest.fixture
    def kept(self, place: Place, database: Database, clock: Clock) -> Iterator[KeptOutbox]:
        others = []

        def reopened() -> SqlOutbox:
            others.append(place.open())
            return SqlOutbox(others[-1], now=clock.in_sql)

        def keeping(days: float) -> SqlOutbox:
            return SqlOutbox(database, keep_days=days, now=clock.in_sql)

        port = SqlOutbox(database, now=clock.in_sql)
        yield KeptOutbox(port, clock, keeping, reopened, lambda: SqlOutbox(broken(database)))
        for other in others:
            other.close()


def test_a_new_event_is_not_read_back(database: Database) -> None:
    said: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: said.append(told[2].split()[0]))

    SqlOutbox(database).add(an_event())

    assert "INSERT" in said
    assert "SELECT" not in said


def test_time_is_the_databases_own(database: Database) -> None:
    port, before = SqlOutbox(database), datetime.now(UTC)
    lease = port.add(an_event(), lease_seconds=60)
    port.record([Postponed(lease, 100, "throttled")])

    record = port.find(lease.interaction_id)

    assert record
    assert record.due_at
    assert before - timedelta(milliseconds=5) <= record.added_at <= datetime.now(UTC)
    assert timedelta(seconds=100) <= record.due_at - record.added_at < timedelta(seconds=130)
    assert 70 < (port.seconds_until_due() or 0) <= 100


def test_leases_run_by_the_databases_clock(database: Database) -> None:
    port = SqlOutbox(database)
    port.add(an_event())

    assert len(port.lease_due(1, lease_seconds=0)) == 1
    assert len(port.lease_due(1, lease_seconds=60)) == 1
    assert port.lease_due(1, lease_seconds=60) == ()


def test_the_database_clock_advances_within_a_transaction(database: Database) -> None:
    moments: set[float] = set()
    with database.writing(OutboxUnavailableError) as connection:
        while len(moments) < 2:
            moments.add(connection.execute(select(DatabaseNow())).scalar_one())


def test_an_event_of_an_unknown_version_stays_and_stops_no_other(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    port = SqlOutbox(database, now=clock.in_sql)
    strange, known = port.add(an_event()), port.add(an_event())
    with database.engine.begin() as connection:
        ours = outbox.c.interaction_id == strange.interaction_id
        connection.execute(update(outbox).where(ours).values(event='{"version": "9.0", "secret": "text"}'))

    leases = port.lease_due(10, lease_seconds=60)

    assert [lease.event for lease in leases] == [known.event]
    assert [record.__dict__["interaction_id"] for record in caplog.records] == [str(strange.interaction_id)]
    assert "secret" not in caplog.text
    assert port.counts().waiting == 2
    assert port.lease_due(10, lease_seconds=60) == ()


@pytest.mark.parametrize("kind", LIBRARIES)
def test_an_event_that_the_disk_has_damaged_stays_and_stops_no_other(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = Place(kind, f"sqlite:///{tmp_path}/test.db").open()
    port = SqlOutbox(database)
    damaged, sound = port.add(an_event(raw_transcript="confidential")), port.add(an_event())
    with database.engine.begin() as connection:
        flip = (
            "UPDATE outbox SET event = CAST(replace(event, 'fiden', x'ff') AS TEXT) WHERE interaction_id = ?"
        )
        connection.exec_driver_sql(flip, (damaged.interaction_id.hex,))

    leases = port.lease_due(10, lease_seconds=60)

    record = port.find(damaged.interaction_id)
    database.close()
    assert [lease.event for lease in leases] == [sound.event]
    assert record
    assert (record.state, record.event) == (OutboxState.WAITING, None)
    assert {vars(line)["interaction_id"] for line in caplog.records} == {str(damaged.interaction_id)}
    assert "tial" not in caplog.text


def test_many_events_are_pruned_in_small_batches(database: Database) -> None:
    port, commits = SqlOutbox(database), list[object]()
    row = {"state": OutboxState.PUBLISHED.value, "added_at": 1, "due_at": 1, "lease_until": 0, "attempts": 0}
    rows = [row | {"interaction_id": uuid4(), "tenant_id": uuid4(), "settled_at": 1} for _ in range(1100)]
    with database.engine.begin() as connection:
        connection.execute(insert(outbox), rows)
    event.listen(database.engine, "commit", commits.append)

    assert port.prune(older_than_days=0) == 1100

    assert len(commits) == 3
    assert port.counts().published == 0


@pytest.mark.parametrize("keep_days", [0.0, 1e-9], ids=["at once", "once they were kept"])
def test_published_texts_are_gone_from_the_file(sqlite_place: Place, keep_days: float) -> None:
    database = sqlite_place.open()
    port = SqlOutbox(database, keep_days=keep_days)
    port.record([Published(port.add(an_event(raw_transcript="xylophone"), lease_seconds=60), "receipt")])
    port.purge_payloads(10)
    database.close()

    files = list(Path(sqlite_place.url.removeprefix("sqlite:///")).parent.iterdir())

    assert files
    assert not [file.name for file in files if b"xylophone" in file.read_bytes()]


@pytest.mark.parametrize(
    ("index", "call"),
    [
        ("outbox_waiting", lambda port: port.lease_due(10, lease_seconds=60)),
        ("outbox_waiting", lambda port: port.seconds_until_due()),
        ("outbox_settled", lambda port: port.prune(older_than_days=1, rejected=True)),
        ("outbox_texts", lambda port: port.purge_payloads(10)),
    ],
    ids=["lease", "due", "prune", "texts"],
)
def test_frequent_queries_use_an_index(
    database: Database, index: str, call: Callable[[SqlOutbox], object]
) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    call(SqlOutbox(database))
    event.remove(database.engine, "before_cursor_execute", note)
    assert asked

    with database.engine.begin() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # an empty table needs no index
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        plans = [connection.exec_driver_sql(f"{explain} {query}", values).all() for query, values in asked]

    assert all(index in str(plan) for plan in plans)
