"""Port of the store of jobs."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

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
    StoredRecording,
)


class JobStorePort(Protocol):
    """Durable, shared store of jobs, of the results of their finished units, and of their transcripts.

    A job that `add` returned survives a crash of process and machine. Any number of threads, processes and
    machines may use the store at once. Time is the store's own; leases and delays that end more than
    `MAX_WAIT_SECONDS` ahead were written before the clock was set back, and count as ended. A job ends once:
    `complete`, `fail` and `cancel` store its end and its event in one transaction, and the first of them
    counts; the event has the trace context of the job's order. Every method raises
    `JobStoreUnavailableError` if the store cannot be reached, is full or fails; then nothing may have been
    recorded.
    """

    @abstractmethod
    def add(self, order: JobOrder, /) -> Job:
        """Store a new job, queued; the job that is there already for the same idempotency key is returned.

        The new job has another id than the order's where that one belongs to another job or event.

        Raises:
            IdempotencyConflictError: the key came with another fingerprint before.
        """
        ...

    @abstractmethod
    def find(self, job_id: UUID, /) -> Job | None:
        """Return a job; None if there is none."""
        ...

    @abstractmethod
    def page(self, query: JobQuery, /) -> JobPage:
        """Return jobs of the query's tenant, or of all, newest first, and where the next page begins.

        The page has no `next` where none follows.
        """
        ...

    @abstractmethod
    def result(self, job_id: UUID, /) -> JobResult | None:
        """Return the transcript of a completed job; None for any other."""
        ...

    @abstractmethod
    def revisions(self, job_ids: Sequence[UUID], /) -> Mapping[UUID, int]:
        """Return the revisions of the jobs that exist."""
        ...

    @abstractmethod
    def counts(self) -> JobCounts:
        """Count the jobs that have not ended."""
        ...

    @abstractmethod
    def claim(
        self,
        queues: Sequence[str],
        /,
        *,
        limit: int,
        lease_seconds: float,
        tenant_limit: int | None = None,
    ) -> tuple[JobLease, ...]:
        """Lease jobs that are due and not leased; their state is `processing` then.

        Tenants take turns: the job of the tenant with the fewest leased jobs comes first, then the oldest.
        A job whose worker let the lease expire has one failure more. Where other claims are in the way for
        too long, none is leased.

        Args:
            queues: the queues to take jobs from.
            limit: jobs to lease at most.
            lease_seconds: how long the leases are valid, unless they are renewed.
            tenant_limit: leased jobs of one tenant at most, counted over all workers; None: any number.
        """
        ...

    @abstractmethod
    def renew(self, leases: Sequence[JobLease], /, *, lease_seconds: float) -> frozenset[UUID]:
        """Extend leases to `lease_seconds` from now; return the ids of the jobs that are still leased so."""
        ...

    @abstractmethod
    def advance(
        self, lease: JobLease, progress: JobProgress, /, *, units: Mapping[str, str] | None = None
    ) -> bool:
        """Record progress, and results of units by their fingerprints; a unit ends a row of failures.

        Returns:
            True if the lease was the latest; a stale one changes nothing.
        """
        ...

    @abstractmethod
    def units(self, lease: JobLease, /) -> Mapping[str, str]:
        """Return the results of finished units by their fingerprints."""
        ...

    @abstractmethod
    def attach(self, lease: JobLease, recording: StoredRecording, /) -> bool:
        """Record where the recording of a job is stored, once it is fetched.

        Returns:
            True if the lease was the latest; a stale one changes nothing.
        """
        ...

    @abstractmethod
    def postpone(
        self, lease: JobLease, /, *, delay_seconds: float, problem: FailureData | None, is_failure: bool
    ) -> bool:
        """Queue a job again, due after the delay; end the lease.

        Args:
            lease: the lease.
            delay_seconds: at most a few minutes.
            problem: why the try ended; None where the worker was asked to stop.
            is_failure: the try counts as a failure of the job.

        Returns:
            True if the lease was the latest; a stale one changes nothing.
        """
        ...

    @abstractmethod
    def complete(self, lease: JobLease, result: JobResult, event: BatchProcessingCompleted | None, /) -> bool:
        """Store transcript, end and event in one transaction, and drop the units.

        The event gets another interaction id where its own belongs to another event. None: no event.

        Returns:
            True if the lease was the latest; a stale one changes nothing.
        """
        ...

    @abstractmethod
    def fail(self, lease: JobLease, problem: FailureData, event: BatchProcessingFailed | None, /) -> bool:
        """Store problem, end and event in one transaction; units stay, for a retry.

        Returns:
            True if the lease was the latest; a stale one changes nothing.
        """
        ...

    @abstractmethod
    def cancel(self, job_id: UUID, problem: FailureData, event: BatchProcessingFailed | None, /) -> bool:
        """End a job that has not ended, in the state `cancelled`; its lease is stale from then on.

        Returns:
            True if the job had not ended.
        """
        ...

    @abstractmethod
    def retry(self, job_id: UUID, order: JobOrder, /) -> Job | None:
        """Add a job that tries a failed or cancelled one again; a second call returns the same job.

        Recording and finished units move to the new job.

        Returns:
            The new job; None where the job does not exist, has not failed, or has lost its recording.
        """
        ...

    @abstractmethod
    def expired(
        self, limit: int, /, *, jobs_keep_seconds: float, recordings_keep_seconds: float
    ) -> tuple[ExpiredJob, ...]:
        """Delete finished jobs whose time is over, and forget recordings of completed and cancelled ones.

        Returns at most `limit` of them, with the recordings that are to be deleted next.
        """
        ...

    @abstractmethod
    def known_recordings(self, keys: Sequence[str], /) -> frozenset[str]:
        """Return those of the keys of recordings that a job has."""
        ...

    @abstractmethod
    def due(self, limit: int, /) -> tuple[tuple[UUID, str], ...]:
        """Return jobs that are due and not leased, with their queues: a worker should have taken them."""
        ...
