"""Pages of jobs on SQLite, whose times have parts of a microsecond."""

from uuid import uuid4

import pytest

from adapters.sql.jobs.jobs import SqlJobs
from domain.model.identity import Identity
from domain.model.jobs import JobOrder, JobQuery
from tests.support.databases.databases import Clock, Place


@pytest.mark.parametrize("part", [0.0, 3e-7, 5e-7, 7e-7])
def test_a_time_that_a_job_shows_is_its_time(sqlite_place: Place, part: float) -> None:
    clock, tenant = Clock(), uuid4()
    clock.advance(part)
    database = sqlite_place.open()
    store = SqlJobs(database, now=clock.in_sql)
    job = store.add(JobOrder(uuid4(), Identity(tenant, "alice", None), "cpu"))

    since = store.page(JobQuery(tenant, created_after=job.created_at)).jobs
    until = store.page(JobQuery(tenant, created_before=job.created_at)).jobs

    assert (since, until) == ((job,), ())
    database.close()
