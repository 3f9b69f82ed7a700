"""Jobs in a database, SQLite or PostgreSQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, select
from sqlalchemy.exc import DBAPIError

from adapters.sql.database import Database, is_lock_timeout
from adapters.sql.jobs import additions, expiry, finishing, statements
from adapters.sql.jobs.additions import NewJob
from adapters.sql.jobs.claiming import JobClaims
from adapters.sql.jobs.finishing import Completion, lease_parameters
from adapters.sql.jobs.pages import page_of
from adapters.sql.jobs.rows import COLUMNS, Parameters, job_from, new_row, recording_values
from adapters.sql.schema.dialect import DatabaseNow, insert_into
from adapters.sql.schema.tables import job_units, jobs
from domain.model.errors import IdempotencyConflictError, JobStoreUnavailableError
from domain.model.events.event import BatchProcessingCompleted
from domain.model.events.failed import BatchProcessingFailed, FailureData
from domain.model.jobs import (
    ExpiredJob,
    Job,
    JobCounts,
    JobLease,
    JobOrder,
    JobPage,
    JobProgress,
    JobQuery,
    JobResult,
    JobState,
    StoredRecording,
)
from ports.job_store_port import JobStorePort

_ROW = jobs.c


class SqlJobs(JobStorePort):
    """One row for each job, one for each finished unit; every method is one short transaction.

    `now` is the present time in SQL: the database's clock, or another one in tests.
    """

    def __init__(self, database: Database, *, now: ColumnElement[float] | None = None) -> None:
        self._database = database
        self._now = DatabaseNow() if now is None else now
        self._claims = JobClaims(self._now)
        add = partial(additions.add_all, now=self._now)
        self._add = database.shared_write(add, JobStoreUnavailableError, confirmed=True)
        complete = partial(finishing.complete_all, now=self._now)
        self._complete = database.shared_write(complete, JobStoreUnavailableError)

    def add(self, order: JobOrder, /) -> Job:
        """Insert the order, unless its key is known; if the answer to COMMIT is lost, look for it again."""
        added = self._add(NewJob(order, new_row(order)))
        if isinstance(added, IdempotencyConflictError):
            raise added
        return added

    def find(self, job_id: UUID, /) -> Job | None:
        """Read one row."""
        with self._reading() as connection:
            row = connection.execute(select(*COLUMNS).where(_ROW.id == job_id)).one_or_none()
        return None if row is None else job_from(row)

    def page(self, query: JobQuery, /) -> JobPage:
        """Read rows of one tenant from its index, or all from the table."""
        with self._reading() as connection:
            return page_of(connection, query)

    def result(self, job_id: UUID, /) -> JobResult | None:
        """Read the transcript of a row."""
        with self._reading() as connection:
            found = connection.execute(select(_ROW.result).where(_ROW.id == job_id)).scalar()
        return None if found is None else JobResult.model_validate_json(found)

    def revisions(self, job_ids: Sequence[UUID], /) -> Mapping[UUID, int]:
        """Read the revisions of many rows in one query."""
        query = select(_ROW.id, _ROW.revision).where(_ROW.id.in_(job_ids))
        with self._reading() as connection:
            return {row.id: row.revision for row in connection.execute(query)}

    def counts(self) -> JobCounts:
        """Count from the index of the jobs that have not ended."""
        with self._reading() as connection:
            queued, processing, age = connection.execute(statements.counts(self._now)).one()
        return JobCounts(queued, processing, max(0.0, age or 0.0))

    def claim(
        self,
        queues: Sequence[str],
        /,
        *,
        limit: int,
        lease_seconds: float,
        tenant_limit: int | None = None,
    ) -> tuple[JobLease, ...]:
        """Lease rows to one new token, unless a look shows that none is due: most looks need no write.

        A claim that waits too long for other claims on PostgreSQL has found nothing, as those took the rows.
        """
        token = uuid4()
        asked: Parameters = {"queues": list(queues), "tenant_limit": tenant_limit}
        with self._reading() as connection:
            if not self._claims.has_next(connection, asked):
                return ()
        asked |= {"new_token": token, "lease_seconds": lease_seconds}
        with suppress(_BusyError), self._writing() as connection, _noticing_locks():
            return tuple(JobLease(job, token) for job in self._claims.lease(connection, asked, limit))
        return ()

    def renew(self, leases: Sequence[JobLease], /, *, lease_seconds: float) -> frozenset[UUID]:
        """Update the rows one by one, in one transaction, in the order of their ids."""
        renewal = statements.renew(self._now)
        ordered = sorted(leases, key=lambda lease: lease.job.id.int)
        with self._writing() as connection:
            return frozenset(
                lease.job.id
                for lease in ordered
                if connection.execute(
                    renewal, lease_parameters(lease) | {"lease_seconds": lease_seconds}
                ).rowcount
            )

    def advance(
        self, lease: JobLease, progress: JobProgress, /, *, units: Mapping[str, str] | None = None
    ) -> bool:
        """Update the row, and insert the units if its token is the latest."""
        values = progress._asdict() | statements.seen(self._now) | ({"failures": 0} if units else {})
        with self._writing() as connection:
            if not self._changed(connection, lease, values):
                return False
            if units:
                rows = [
                    {"job_id": lease.job.id, "fingerprint": each, "result": units[each]} for each in units
                ]
                insert = insert_into(connection.dialect.name, job_units).on_conflict_do_nothing()
                connection.execute(insert, rows)
            return True

    def units(self, lease: JobLease, /) -> Mapping[str, str]:
        """Read the units of the job."""
        query = select(job_units.c.fingerprint, job_units.c.result).where(job_units.c.job_id == lease.job.id)
        with self._reading() as connection:
            return {row.fingerprint: row.result for row in connection.execute(query)}

    def attach(self, lease: JobLease, recording: StoredRecording, /) -> bool:
        """Update the columns of the recording."""
        with self._writing() as connection:
            return self._changed(connection, lease, recording_values(recording))

    def postpone(
        self, lease: JobLease, /, *, delay_seconds: float, problem: FailureData | None, is_failure: bool
    ) -> bool:
        """Update the row; the next claim begins with no lease to wait for."""
        values = {
            "state": JobState.QUEUED.value,
            "stage": None,
            "eta_seconds": None,
            "token": None,
            "lease_until": self._now,
            "due_at": self._now + delay_seconds,
            "problem": problem and problem.model_dump_json(),
            **({"failures": _ROW.failures + 1} if is_failure else {}),
            **statements.seen(self._now),
        }
        with self._writing() as connection:
            return self._changed(connection, lease, values)

    def complete(self, lease: JobLease, result: JobResult, event: BatchProcessingCompleted | None, /) -> bool:
        """Update the row and insert the event, together with those that end at the same time."""
        return self._complete(
            Completion(lease, result.model_dump_json(), result.transcript.duration_seconds, event)
        )

    def fail(self, lease: JobLease, problem: FailureData, event: BatchProcessingFailed | None, /) -> bool:
        """Update the row and insert the event."""
        with self._writing() as connection:
            return finishing.fail(connection, lease, problem, event, self._now)

    def cancel(self, job_id: UUID, problem: FailureData, event: BatchProcessingFailed | None, /) -> bool:
        """Update the row and insert the event."""
        with self._writing() as connection:
            return finishing.cancel(connection, job_id, problem, event, self._now)

    def retry(self, job_id: UUID, order: JobOrder, /) -> Job | None:
        """Insert the new row, and refer to it in the old one."""
        with self._writing() as connection:
            return additions.retry(connection, job_id, order, self._now)

    def expired(
        self, limit: int, /, *, jobs_keep_seconds: float, recordings_keep_seconds: float
    ) -> tuple[ExpiredJob, ...]:
        """Delete rows whose time is over, then empty the recordings of others."""
        with self._writing() as connection:
            gone = expiry.delete_jobs(connection, limit, self._now - jobs_keep_seconds)
            rest = limit - len(gone)
            return gone + expiry.forget_recordings(connection, rest, self._now - recordings_keep_seconds)

    def known_recordings(self, keys: Sequence[str], /) -> frozenset[str]:
        """Look the keys up in their index."""
        query = select(_ROW.recording_key).where(_ROW.recording_key.in_(keys))
        with self._reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def due(self, limit: int, /) -> tuple[tuple[UUID, str], ...]:
        """Read from the index of the jobs that have not ended."""
        with self._reading() as connection:
            rows = connection.execute(statements.due(self._now), {"at_most": limit}).all()
        return tuple((row.id, row.queue) for row in rows)

    def _changed(self, connection: Connection, lease: JobLease, values: Mapping[str, object]) -> bool:
        statement = statements.of_lease().values(**values)
        return bool(connection.execute(statement, lease_parameters(lease)).rowcount)

    def _writing(self) -> AbstractContextManager[Connection]:
        return self._database.writing(JobStoreUnavailableError)

    def _reading(self) -> AbstractContextManager[Connection]:
        return self._database.reading(JobStoreUnavailableError)


class _BusyError(Exception):
    """Other transactions hold the rows for too long; rolls back, and is no outage."""


@contextmanager
def _noticing_locks() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if is_lock_timeout(error):
            raise _BusyError from None
        raise
