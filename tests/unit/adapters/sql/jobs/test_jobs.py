"""The contract of the store of jobs on every database, and properties of databases only."""

from collections.abc import Iterator

import pytest

from adapters.sql.database import Database
from adapters.sql.jobs.jobs import SqlJobs
from adapters.sql.outbox.outbox import SqlOutbox
from tests.contracts.job_store_port import JobStorePortContract, KeptJobs
from tests.support.databases.databases import Clock, Place

pytestmark = pytest.mark.slow


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
