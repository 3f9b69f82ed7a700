"""Factories of orders, results and events of jobs; a test sets only the fields that it is about."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID, uuid4

from domain.model.events.event import BatchProcessingCompleted
from domain.model.events.failed import BatchProcessingFailed, FailureData
from domain.model.events.kinds import EventKind
from domain.model.identity import Identity
from domain.model.jobs import Job, JobKey, JobOrder, JobResult, JobStage, JobState, StoredRecording
from domain.model.jobs import JobProgress as Progress
from domain.model.result_warnings import ResultWarning
from domain.model.transcripts import DEFAULT_OPTIONS, Segment, Transcript, TranscriptionOptions
from domain.services.jobs.announcement import JobAnnouncement
from tests.support.samples.factories import A_MOMENT

QUEUE = "default"
UNDECODABLE = FailureData(reason="undecodable-audio", detail="The recording is damaged.", retryable=False)
BUSY = FailureData(reason="transcriber-busy", detail="All slots are taken.", retryable=True)
HALFWAY = Progress(JobStage.TRANSCRIBING, 30.0, 60.0, 12.5)
ANNOUNCEMENT = JobAnnouncement(kinds=tuple(EventKind), wake=lambda: None, now=lambda: A_MOMENT)


def a_recording(name: str | None = None) -> StoredRecording:
    """Name a recording that no store has."""
    key = name or uuid4().hex
    return StoredRecording(key, sha256(key.encode()).hexdigest(), 3_000_000_000)


def an_owner() -> Callable[[], str]:
    """Name the database that owns recordings."""
    owner = uuid4().hex
    return lambda: owner


def an_order(
    *,
    job_id: UUID | None = None,
    tenant_id: UUID | None = None,
    user_id: str = "user-7",
    account_id: str | None = "account-9",
    queue: str = QUEUE,
    recording: StoredRecording | None = None,
    source_url: str | None = None,
    options: TranscriptionOptions = DEFAULT_OPTIONS,
    metadata: dict[str, object] | None = None,
    warnings: tuple[ResultWarning, ...] = (),
    key: JobKey | None = None,
    retry_of: UUID | None = None,
    traceparent: str | None = None,
) -> JobOrder:
    """Build an order, of an upload unless a source is given; identifiers are new unless given."""
    return JobOrder(
        id=job_id or uuid4(),
        identity=Identity(tenant_id or uuid4(), user_id, account_id),
        queue=queue,
        recording=recording or (None if source_url else a_recording()),
        source_url=source_url,
        options=options,
        metadata=metadata or {},  # type: ignore[arg-type]  # JSON of a test
        warnings=warnings,
        key=key,
        event_kinds=tuple(EventKind),
        retry_of=retry_of,
        traceparent=traceparent,
    )


def a_job(order: JobOrder | None = None) -> Job:
    """Build a job that is being processed for the first time."""
    moment = datetime(2026, 11, 28, tzinfo=UTC)
    progress = Progress(JobStage.FETCHING)
    return Job(order or an_order(), JobState.PROCESSING, progress, 2, moment, moment, started_at=moment)


def a_result(text: str = "um hello", cleaned: str = "Hello.") -> JobResult:
    """Build the result of a recording of 60 s."""
    transcript = Transcript(duration_seconds=60.0, segments=(Segment(start=0.5, end=59.5, text=text),))
    return JobResult(transcript=transcript, cleaned_text=cleaned, cleaner="rules", fallbacks=1)


def completed(job: Job, result: JobResult | None = None) -> BatchProcessingCompleted:
    """Build the event of a completed job."""
    event = ANNOUNCEMENT.of_completion(job, result or a_result())
    assert event
    return event


def failed(job: Job, problem: FailureData = UNDECODABLE) -> BatchProcessingFailed:
    """Build the event of a failed or cancelled job."""
    event = ANNOUNCEMENT.of_failure(job, problem)
    assert event
    return event
