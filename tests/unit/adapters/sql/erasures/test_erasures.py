"""The contract of erasures on each database, and what only a database has."""

import pytest
from sqlalchemy import ColumnElement

from adapters.sql.database import Database
from adapters.sql.erasures.erasures import SqlErasures
from adapters.sql.idempotency import SqlIdempotency
from adapters.sql.jobs.jobs import SqlJobs
from adapters.sql.outbox.outbox import SqlOutbox
from domain.model.erasures import Erasure
from domain.model.errors import JobStoreUnavailableError
from domain.model.events.erased import ErasureCause
from domain.model.identity import Interaction
from tests.contracts.erasure_port import ErasurePortContract, KeptErasures
from tests.support.databases.databases import Clock, Place
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.slow

QUIETLY = Erasure("alice", ErasureCause.REQUEST, announces=False)


def broken(database: Database) -> Database:
    """Drop the tables of a database."""
    with database.engine.begin() as connection:
        for table in ("jobs", "erasures", "outbox"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    return database


class TestSqlErasures(ErasurePortContract):
    @pytest.fixture
    def kept(self, database: Database, clock: Clock) -> KeptErasures:
        now: ColumnElement[float] = clock.in_sql
        return KeptErasures(
            SqlErasures(database, now=now),
            SqlJobs(database, now=now),
            SqlOutbox(database, now=now),
            SqlIdempotency(database, now=now),
            clock,
            lambda: SqlErasures(broken(database)),
        )


def test_a_text_of_a_newer_version_is_erased_as_well(database: Database) -> None:
    outbox, event = SqlOutbox(database), an_event()
    outbox.add(event)
    with database.engine.begin() as connection:
        connection.exec_driver_sql('UPDATE outbox SET event = \'{"version": "9.0"}\'')

    rows = SqlErasures(database).erase(Interaction(event.interaction_id, event.tenant_id), QUIETLY)

    assert rows.events == 1
    assert outbox.find(event.interaction_id) is None


def test_a_reader_of_the_file_delays_the_scrubbing(sqlite_place: Place) -> None:
    database = Database(sqlite_place.open().engine, wait_seconds=0.05)
    SqlOutbox(database).add(an_event())
    erasures = SqlErasures(database)

    with database.reading(JobStoreUnavailableError) as reader:
        reader.exec_driver_sql("SELECT 1 FROM outbox").all()
        SqlOutbox(database).add(an_event())
        while_read = erasures.scrub()

    assert not while_read
    assert erasures.scrub()
