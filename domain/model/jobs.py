"""Jobs: recordings that are transcribed although connections, processes and machines end (docs/jobs.md)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.model.events.failed import FailureData
from domain.model.events.kinds import EventKind
from domain.model.identity import Identity
from domain.model.metadata import Metadata
from domain.model.result_warnings import ResultWarning
from domain.model.transcripts import DEFAULT_OPTIONS, Transcript, TranscriptionOptions

MAX_FAILURES = 3
"""Failures in a row, without a finished unit between them, after which a job has failed."""
FIRST_REVISION = 1
"""Revision of a job that was just added; its first claim is the second."""
MAX_PAGE = 100
"""Jobs on one page of a list."""


class JobState(StrEnum):
    """State of a job; a job ends in one of the last three, for good."""

    QUEUED = "queued"
    """The job waits for a worker, for the first time or again."""
    PROCESSING = "processing"
    """A worker has leased the job."""
    COMPLETED = "completed"
    """The transcript is there."""
    FAILED = "failed"
    """The recording could not be transcribed; the job's problem says why."""
    CANCELLED = "cancelled"
    """A caller cancelled the job before its end."""

    @property
    def is_final(self) -> bool:
        """True for a job that has ended."""
        return self in FINAL_STATES


FINAL_STATES = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED})


class JobStage(StrEnum):
    """Present work on a job in the state `processing`."""

    FETCHING = "fetching"
    """The recording is fetched from its store or its source."""
    TRANSCRIBING = "transcribing"
    CLEANING = "cleaning"


class JobProgress(NamedTuple):
    """Progress of a job, in seconds of sound; it never falls."""

    stage: JobStage | None = None
    """None unless the job is being processed."""
    done_seconds: float = 0.0
    total_seconds: float | None = None
    """None where the recording does not declare its length."""
    eta_seconds: float | None = None
    """Estimate of the time to the end; None until a pace has shown."""


class StoredRecording(NamedTuple):
    """Recording in the store of recordings."""

    key: str
    sha256: str
    size: int
    """Bytes."""


class JobKey(NamedTuple):
    """Idempotency key of a submission: the same key of the same caller means the same job."""

    scope: UUID
    key: str
    fingerprint: str
    """Identifies the recording and what else the submission asks for."""


@dataclass(frozen=True, slots=True)
class JobOrder:
    """All that a caller asks for; frozen with the job."""

    id: UUID  # of the job, and of its event
    identity: Identity
    queue: str  # name of the queue whose workers may take the job
    recording: StoredRecording | None = None  # None until the source is fetched
    source_url: str | None = None  # where the recording is fetched from; None for an upload
    options: TranscriptionOptions = DEFAULT_OPTIONS
    metadata: Metadata = field(default_factory=dict)
    warnings: tuple[ResultWarning, ...] = ()  # about the request and the identity
    key: JobKey | None = None
    event_kinds: tuple[EventKind, ...] = ()  # of the events that tell of its end
    retry_of: UUID | None = None  # the failed job whose recording and settings this one has
    traceparent: str | None = None  # W3C Trace Context of the submission; None without tracing


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands in its store."""

    order: JobOrder
    state: JobState
    progress: JobProgress
    revision: int  # grows with each change that a caller can see
    created_at: datetime
    updated_at: datetime  # time of the last change
    started_at: datetime | None = None  # when a worker took it first
    finished_at: datetime | None = None
    problem: FailureData | None = None  # of a failed job; of one that waits again, why the last try failed
    failures: int = 0  # in a row, without a finished unit between them
    event_id: UUID | None = None  # interaction id of its event; None where none is published
    retried_as: UUID | None = None  # the job that tries this one again

    @property
    def id(self) -> UUID:
        """Identifier of the job."""
        return self.order.id

    @property
    def is_first_try(self) -> bool:
        """True for a job that was just claimed for the first time, and so has no finished units."""
        return self.order.retry_of is None and self.revision == FIRST_REVISION + 1


class JobLease(NamedTuple):
    """Exclusive right to work on a job until the lease expires; changes count with the latest token only."""

    job: Job
    token: UUID

    @property
    def has_failed(self) -> bool:
        """True if the job has ended its workers so often that it must not be tried again."""
        return self.job.failures >= MAX_FAILURES


class JobResult(BaseModel):
    """Transcript of a completed job, as it is stored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    transcript: Transcript
    cleaned_text: str
    cleaner: str
    fallbacks: int = 0


class JobCursor(NamedTuple):
    """Place in a list of jobs, behind the one with this time and id."""

    created_at: float  # seconds since 1970, by the store's clock
    id: UUID


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Choice of jobs, newest first."""

    tenant_id: UUID | None  # None: jobs of all tenants, which only an operator may see
    state: JobState | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    behind: JobCursor | None = None
    limit: int = MAX_PAGE


class JobPage(NamedTuple):
    """Some jobs of a list, and where the next page begins."""

    jobs: tuple[Job, ...]
    next: JobCursor | None


class JobCounts(NamedTuple):
    """Number of jobs that have not ended, and the age of the one that waits longest."""

    queued: int
    processing: int
    oldest_queued_seconds: float


class ExpiredJob(NamedTuple):
    """Finished job, or its recording, whose time is over."""

    id: UUID
    recording_key: str | None
