"""Store of jobs in this process."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from threading import RLock
from uuid import UUID, uuid4

from adapters.in_memory.outbox import InMemoryOutbox
from adapters.in_memory.stored_job import StoredJob, moment
from domain.model.errors import IdempotencyConflictError, InteractionIdTakenError
from domain.model.events.event import BatchProcessingCompleted
from domain.model.events.failed import BatchProcessingFailed, FailureData
from domain.model.events.sent import TerminalEvent
from domain.model.jobs import (
    FIRST_REVISION,
    ExpiredJob,
    Job,
    JobCounts,
    JobLease,
    JobOrder,
    JobPage,
    JobProgress,
    JobQuery,
    JobResult,
    JobStage,
    JobState,
    StoredRecording,
)
from ports.job_store_port import JobStorePort

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED = JobState


class InMemoryJobs(JobStorePort):
    """Keeps jobs until the process ends; their ends and events go together into the outbox.

    The clock counts seconds since 1970.
    """

    def __init__(self, outbox: InMemoryOutbox, clock: Callable[[], float] = time.time) -> None:
        self._outbox = outbox
        self._clock = clock
        self._lock = RLock()
        self._jobs: dict[UUID, StoredJob] = {}
        self._units: dict[UUID, dict[str, str]] = {}

    def add(self, order: JobOrder, /) -> Job:
        """Store the order, unless its key is known."""
        with self._lock:
            if order.key is not None and (known := self._by_key(order)):
                return known
            while order.id in self._jobs or self._outbox.is_taken(order.id):
                order = replace(order, id=uuid4())
            order, now = replace(order, metadata=json.loads(json.dumps(order.metadata))), self._clock()
            job = Job(order, QUEUED, JobProgress(), FIRST_REVISION, moment(now), moment(now))
            stored = self._jobs[job.id] = StoredJob(job, now, now, now)
            return stored.shown()

    def all(self) -> tuple[Job, ...]:
        """Return every job."""
        return tuple(stored.shown() for stored in list(self._jobs.values()))

    def find(self, job_id: UUID, /) -> Job | None:
        """Read one job."""
        with self._lock:
            return stored.shown() if (stored := self._jobs.get(job_id)) else None

    def page(self, query: JobQuery, /) -> JobPage:
        """Sort the jobs of a tenant, or of all."""
        with self._lock:
            found = [stored for stored in self._jobs.values() if stored.is_asked_for(query)]
        found.sort(key=lambda stored: stored.cursor, reverse=True)
        page = found[: query.limit]
        following = page[-1].cursor if len(found) > len(page) else None
        return JobPage(tuple(stored.shown() for stored in page), following)

    def result(self, job_id: UUID, /) -> JobResult | None:
        """Read the transcript of a job."""
        with self._lock:
            stored = self._jobs.get(job_id)
        return JobResult.model_validate_json(stored.result) if stored and stored.result else None

    def revisions(self, job_ids: Sequence[UUID], /) -> Mapping[UUID, int]:
        """Read the revisions of many jobs."""
        with self._lock:
            return {each: self._jobs[each].job.revision for each in job_ids if each in self._jobs}

    def counts(self) -> JobCounts:
        """Count the jobs by state."""
        with self._lock:
            now, states = self._clock(), Counter(stored.job.state for stored in self._jobs.values())
            queued = (each.created_at for each in self._jobs.values() if each.job.state is QUEUED)
            return JobCounts(states[QUEUED], states[PROCESSING], now - min(queued, default=now))

    def claim(
        self,
        queues: Sequence[str],
        /,
        *,
        limit: int,
        lease_seconds: float,
        tenant_limit: int | None = None,
    ) -> tuple[JobLease, ...]:
        """Lease free jobs, in the tenants' turns."""
        with self._lock:
            turns = sorted(self._turns(queues), key=lambda turn: (turn[0], turn[1].cursor))
            chosen = [each for turn, each in turns if tenant_limit is None or turn <= tenant_limit]
            leases = [self._lease(stored, lease_seconds) for stored in chosen[:limit]]
            return tuple(sorted(leases, key=lambda lease: lease.job.created_at))

    def renew(self, leases: Sequence[JobLease], /, *, lease_seconds: float) -> frozenset[UUID]:
        """Extend the leases whose token is the latest."""
        with self._lock:
            owned = [stored for lease in leases if (stored := self._owned(lease))]
            for stored in owned:
                stored.lease_until = self._clock() + lease_seconds
            return frozenset(stored.job.id for stored in owned)

    def advance(
        self, lease: JobLease, progress: JobProgress, /, *, units: Mapping[str, str] | None = None
    ) -> bool:
        """Store progress and units."""
        with self._lock:
            if (stored := self._owned(lease)) is None:
                return False
            self._units[lease.job.id] = dict(units or {}) | self._units.get(lease.job.id, {})
            stored.change(self._clock(), progress=progress, failures=0 if units else stored.job.failures)
            return True

    def units(self, lease: JobLease, /) -> Mapping[str, str]:
        """Read the units of the job."""
        with self._lock:
            return dict(self._units.get(lease.job.id, {}))

    def attach(self, lease: JobLease, recording: StoredRecording, /) -> bool:
        """Store the key of the recording."""
        with self._lock:
            if (stored := self._owned(lease)) is None:
                return False
            stored.set_recording(recording)
            return True

    def postpone(
        self, lease: JobLease, /, *, delay_seconds: float, problem: FailureData | None, is_failure: bool
    ) -> bool:
        """Queue the job again."""
        with self._lock:
            if (stored := self._owned(lease)) is None:
                return False
            now = self._clock()
            stored.token, stored.lease_until, stored.due_at = None, now, now + delay_seconds
            progress = stored.job.progress._replace(stage=None, eta_seconds=None)
            failures = stored.job.failures + is_failure
            stored.change(self._clock(), state=QUEUED, progress=progress, problem=problem, failures=failures)
            return True

    def complete(self, lease: JobLease, result: JobResult, event: BatchProcessingCompleted | None, /) -> bool:
        """Store transcript and event."""
        with self._lock:
            if (stored := self._owned(lease)) is None:
                return False
            stored.result = result.model_dump_json()
            self._units.pop(lease.job.id, None)
            seconds = result.transcript.duration_seconds
            self._end(stored, COMPLETED, None, event, JobProgress(None, seconds, seconds))
            return True

    def fail(self, lease: JobLease, problem: FailureData, event: BatchProcessingFailed | None, /) -> bool:
        """Store problem and event."""
        with self._lock:
            if (stored := self._owned(lease)) is None:
                return False
            self._end(stored, FAILED, problem, event, stored.job.progress)
            return True

    def cancel(self, job_id: UUID, problem: FailureData, event: BatchProcessingFailed | None, /) -> bool:
        """Store problem and event, unless the job has ended."""
        with self._lock:
            stored = self._jobs.get(job_id)
            if stored is None or stored.job.state.is_final:
                return False
            self._end(stored, CANCELLED, problem, event, stored.job.progress)
            return True

    def retry(self, job_id: UUID, order: JobOrder, /) -> Job | None:
        """Move recording and units to a new job."""
        with self._lock:
            stored = self._jobs.get(job_id)
            if stored is None or stored.job.state not in {FAILED, CANCELLED}:
                return None
            if stored.job.retried_as is not None:
                return self.find(stored.job.retried_as)
            if not stored.has_sound:
                return None
            again = self.add(replace(order, recording=stored.job.order.recording))
            self._units[again.id] = self._units.pop(job_id, {})
            stored.set_recording(None)
            stored.change(self._clock(), retried_as=again.id)
            return again

    def erase(self, job_id: UUID, /) -> ExpiredJob | None:
        """Drop a finished job."""
        with self._lock:
            stored = self._jobs.get(job_id)
            return self._drop(stored) if stored and stored.job.state.is_final else None

    def expired(
        self, limit: int, /, *, jobs_keep_seconds: float, recordings_keep_seconds: float
    ) -> tuple[ExpiredJob, ...]:
        """Drop finished jobs, then forget recordings of others."""
        with self._lock:
            gone = [self._drop(stored) for stored in self._ended(jobs_keep_seconds)[:limit]]
            ended = (each for each in self._ended(recordings_keep_seconds) if each.recording_key)
            idle = [each for each in ended if each.job.state is not FAILED][: limit - len(gone)]
            return (*gone, *(stored.forget_recording() for stored in idle))

    def known_recordings(self, keys: Sequence[str], /) -> frozenset[str]:
        """Look at the recordings of all jobs."""
        with self._lock:
            return frozenset(keys) & {each.recording_key or "" for each in self._jobs.values()}

    def due(self, limit: int, /) -> tuple[tuple[UUID, str], ...]:
        """List the free jobs, oldest first."""
        with self._lock:
            free = [stored for stored in self._jobs.values() if stored.is_free(self._clock())]
        free.sort(key=lambda stored: stored.created_at)
        return tuple((stored.job.id, stored.job.order.queue) for stored in free[:limit])

    def _by_key(self, order: JobOrder) -> Job | None:
        for stored in self._jobs.values():
            if (key := stored.job.order.key) and order.key and key[:2] == order.key[:2]:
                if key != order.key:
                    raise IdempotencyConflictError("This idempotency key was used with another order.")
                return stored.shown()
        return None

    def _owned(self, lease: JobLease) -> StoredJob | None:
        """Return the job of a lease, if the token is the latest."""
        is_owned = (stored := self._jobs.get(lease.job.id)) and stored.token == lease.token
        return stored if is_owned else None

    def _turns(self, queues: Sequence[str]) -> Iterator[tuple[int, StoredJob]]:
        """Rank each free job by what its tenant has leased, and waiting before it."""
        now, jobs = self._clock(), sorted(self._jobs.values(), key=lambda stored: stored.cursor)
        places = Counter(each.tenant_id for each in jobs if each.token and each.is_leased(now))
        for stored in jobs:
            if stored.job.order.queue in queues and stored.is_free(now):
                places[stored.tenant_id] += 1
                yield places[stored.tenant_id], stored

    def _lease(self, stored: StoredJob, lease_seconds: float) -> JobLease:
        now = self._clock()
        stored.token, stored.lease_until = uuid4(), now + lease_seconds
        stored.change(
            self._clock(),
            state=PROCESSING,
            progress=stored.job.progress._replace(stage=JobStage.FETCHING, eta_seconds=None),
            failures=stored.job.failures + (stored.job.state is PROCESSING),
            started_at=stored.job.started_at or moment(now),
        )
        return JobLease(stored.shown(), stored.token)

    def _end(
        self,
        stored: StoredJob,
        state: JobState,
        problem: FailureData | None,
        event: TerminalEvent | None,
        progress: JobProgress,
    ) -> None:
        stored.token, stored.finished_at = None, self._clock()
        stored.change(
            self._clock(),
            state=state,
            problem=problem,
            progress=progress._replace(stage=None, eta_seconds=None),
            finished_at=moment(stored.finished_at),
            event_id=event and self._announce(event, stored.job.order.traceparent),
        )

    def _announce(self, event: TerminalEvent, traceparent: str | None) -> UUID:
        """Add the event to the outbox, under another id where its own is taken."""
        while True:
            try:
                return self._outbox.add(event, traceparent=traceparent).interaction_id
            except InteractionIdTakenError:
                event = event.model_copy(update={"interaction_id": uuid4()})

    def _ended(self, seconds: float) -> list[StoredJob]:
        """List the jobs that ended so long ago, oldest first."""
        ended = (each for each in self._jobs.values() if each.job.state.is_final)
        old = (each for each in ended if each.finished_at <= self._clock() - seconds)
        return sorted(old, key=lambda stored: stored.finished_at)

    def _drop(self, stored: StoredJob) -> ExpiredJob:
        self._units.pop(stored.job.id, None)
        return self._jobs.pop(stored.job.id).as_expired()
