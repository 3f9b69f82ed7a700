"""Check from outside that each accepted job has ended, with exactly one event."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, update

from adapters.sql.jobs.jobs import SqlJobs
from adapters.sql.schema.dialect import DatabaseNow
from adapters.sql.schema.tables import jobs as rows
from bootstrap.factories.database import prepare_database
from domain.model.events.sent import sent_event
from domain.model.jobs import JobLease
from tests.support.doubles.bus_faults import Entry
from tests.support.samples.jobs import QUEUE, a_result, completed

LEASE_SECONDS = 40.0
TAKEOVER_SECONDS = 60.0
"""Longest time that a job may be processing without a worker that renews its lease."""


class JobsCheck(NamedTuple):
    """Result of a comparison of accepted jobs with the events of an idempotent consumer."""

    promised: int
    without_event: frozenset[UUID]
    with_several: frozenset[UUID]
    duplicates: int
    """Deliveries that had come before, which a consumer ignores."""

    @property
    def broken(self) -> int:
        """Number of broken promises."""
        return len(self.without_event) + len(self.with_several)


def judge_jobs(promised: frozenset[UUID], received: Iterable[Entry]) -> JobsCheck:
    """Compare accepted jobs with terminal events.

    Raises:
        pydantic.ValidationError: something arrived that no consumer could read.
    """
    arrivals = Counter(
        (sent_event(entry["Detail"]).interaction_id, entry["DetailType"]) for entry in received
    )
    ends = Counter(interaction_id for interaction_id, _ in arrivals)
    several = frozenset(job_id for job_id in promised if ends[job_id] > 1)
    return JobsCheck(len(promised), promised - ends.keys(), several, arrivals.total() - len(arrivals))


def take_over(database_url: str) -> tuple[JobLease, ...]:
    """Complete all that is left, as another worker does once the leases of a killed one have expired."""
    database = prepare_database(database_url)
    jobs = SqlJobs(database, now=DatabaseNow() + LEASE_SECONDS)
    leases = jobs.claim([QUEUE], limit=1000, lease_seconds=LEASE_SECONDS)
    assert all(jobs.complete(lease, a_result(), completed(lease.job)) for lease in leases)
    database.close()
    return leases


def expire_leases(database_url: str) -> None:
    """Have the leases of dead workers end now; those of others are renewed in time."""
    database = prepare_database(database_url)
    with database.engine.begin() as connection:
        connection.execute(update(rows).values(lease_until=rows.c.lease_until - LEASE_SECONDS))
    database.close()


def unfinished(database_url: str) -> int:
    """Count the jobs that have not ended."""
    database = prepare_database(database_url)
    counts = SqlJobs(database).counts()
    database.close()
    return counts.queued + counts.processing


def abandoned(database_url: str) -> int:
    """Count the jobs whose lease expired so long ago that a worker should have taken them over."""
    database = prepare_database(database_url)
    latest = DatabaseNow() - (TAKEOVER_SECONDS - LEASE_SECONDS)
    query = select(func.count()).where(rows.c.state == "processing", rows.c.lease_until < latest)
    with database.engine.connect() as connection:
        number: int = connection.execute(query).scalar_one()
    database.close()
    return number
