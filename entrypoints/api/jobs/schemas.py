"""Schemas of the answers about jobs."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.config import JsonDict

from domain.model.jobs import JobStage, JobState
from domain.model.result_warnings import ResultWarning
from domain.model.transcripts import Seconds, TranscriptionOptions
from entrypoints.api.schemas import EventOutcome, Problem

_ID = "7b1c54c5-9a0e-4b07-8b1f-1f4f3ce8a1de"
_SELF = f"/batch/jobs/{_ID}"
_EXAMPLE: JsonDict = {
    "id": _ID,
    "interaction_id": _ID,
    "tenant_id": "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11",
    "user_id": "alice",
    "account_id": "acme",
    "state": "processing",
    "stage": "transcribing",
    "progress": {"done_seconds": 1260.0, "total_seconds": 3600.0, "eta_seconds": 184.5},
    "created_at": "2026-11-23T18:00:00.000000Z",
    "started_at": "2026-11-23T18:00:01.000000Z",
    "updated_at": "2026-11-23T18:01:40.000000Z",
    "revision": 74,
    "failures": 0,
    "options": {"channels": "mixed", "tracks": "one", "language": "en", "vocabulary": ["Acme"]},
    "metadata": {"case": 4711},
    "recording": {
        "size": 28800044,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    },
    "warnings": [],
    "links": {"self": _SELF, "events": f"{_SELF}/events", "cancel": _SELF},
}


class Progress(BaseModel):
    """Seconds of sound that are transcribed, and in all; total and estimate are null until they are known."""

    done_seconds: Seconds
    total_seconds: Seconds | None
    eta_seconds: Seconds | None = Field(description="Estimate of the seconds until the job has ended.")


class JobProblem(Problem):
    """Problem of a failed or cancelled job, or of the last try of one that waits again (RFC 9457)."""

    retryable: bool = Field(description="True if the same recording may succeed at another try.")


class JobRecording(BaseModel):
    """Recording of a job, as long as it is stored."""

    size: int = Field(description="Bytes.")
    sha256: str


class JobSource(BaseModel):
    """Place from which the recording of a job is fetched."""

    url: str = Field(description="Without its query, which may hold credentials.")


class JobLinks(BaseModel):
    """Paths of what can be done with a job in its present state; null for what cannot."""

    model_config = ConfigDict(populate_by_name=True)

    self_: str = Field(alias="self", description="GET: this snapshot.")
    events: str = Field(description="GET: server-sent events.")
    transcript: str | None = Field(None, description="GET: the transcript of a completed job.")
    retry: str | None = Field(None, description="POST: try a failed or cancelled job again.")
    cancel: str | None = Field(None, description="DELETE: cancel a job that has not ended.")


class JobSnapshot(BaseModel):
    """Job at one moment."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: UUID
    interaction_id: UUID = Field(description="Id of the job's event: the job's, unless it was taken.")
    tenant_id: UUID
    user_id: str
    account_id: str | None
    state: JobState
    stage: JobStage | None = Field(None, description="Present work on a job in the state processing.")
    progress: Progress
    created_at: datetime
    started_at: datetime | None = Field(None, description="When a worker took the job first.")
    updated_at: datetime
    finished_at: datetime | None = None
    revision: int = Field(description="Grows with each change.")
    failures: int = Field(description="Tries in a row that failed without having finished a part.")
    problem: JobProblem | None = None
    metadata: dict[str, JsonValue] = Field(description="The caller's own object, as it was sent.")
    options: TranscriptionOptions
    recording: JobRecording | None = None
    source: JobSource | None = None
    retry_of: UUID | None = Field(None, description="Job that this one tries again.")
    retried_as: UUID | None = Field(None, description="Job that tries this one again.")
    warnings: tuple[ResultWarning, ...] = Field(description="Facts about the request and the identity.")
    event: EventOutcome | None = Field(None, description="Outcome of the event; null before the end.")
    links: JobLinks


class JobList(BaseModel):
    """Some jobs of a tenant, newest first."""

    jobs: tuple[JobSnapshot, ...]
    next: str | None = Field(description="Path of the next page; null on the last one.")


class JobSourceRequest(BaseModel):
    """Place from which the recording of a new job is to be fetched."""

    url: str = Field(description="https or s3", examples=["s3://recordings/2026/call.wav"])


class Waveform(BaseModel):
    """Loudness of a recording over time, for drawing; its channels are mixed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"duration_seconds": 61.2, "peaks": [-12, 11, -87, 90, -3, 2]}]}
    )

    duration_seconds: Seconds
    peaks: list[Annotated[int, Field(ge=-128, le=127)]] = Field(
        description="Lowest and highest sample of up to 2,000 equal stretches of time, in turn."
    )
