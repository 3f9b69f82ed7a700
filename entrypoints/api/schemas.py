"""Schemas of the HTTP answers."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from domain.model.events.event import PublicationStatus
from domain.model.result_warnings import ResultWarning
from domain.model.transcripts import Absent, Quality, Segment, Share
from domain.services.batch_processing import BatchResult

_EXAMPLE: JsonDict = {
    "interaction_id": "7b1c54c5-9a0e-4b07-8b1f-1f4f3ce8a1de",
    "tenant_id": "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11",
    "user_id": "alice",
    "account_id": "acme",  # the framework drops null from examples
    "raw_transcript": "um please open the the window",
    "cleaned_transcript": "Please open the window.",
    "cleaner": "rules",
    "fallback_segments": 0,
    "duration_seconds": 3.4,
    "segments": [
        {
            "start": 0.3,
            "end": 3.1,
            "text": "um please open the the window",
            "words": [
                {"start": 0.3, "end": 0.7, "text": "um", "confidence": 0.62},
                {"start": 0.9, "end": 1.4, "text": "please", "confidence": 0.98},
                {"start": 1.4, "end": 1.8, "text": "open", "confidence": 0.97},
                {"start": 1.8, "end": 2.0, "text": "the", "confidence": 0.95},
                {"start": 2.1, "end": 2.4, "text": "the", "confidence": 0.91},
                {"start": 2.4, "end": 3.1, "text": "window", "confidence": 0.99},
            ],
        }
    ],
    "language": "en",
    "language_probability": 0.98,
    "engine": "faster-whisper",
    "model": "tiny.en",
    "quality": {"suspect_units": 0, "retried_units": 0, "coverage": 1.0},
    "event": {"status": "published", "event_id": "0d1d4a27-9f3c-4d6f-8a6e-1a2b3c4d5e6f"},
    "warnings": [],
}


class EventOutcome(BaseModel):
    """Outcome of the event's publication: published, queued, failed or disabled."""

    status: PublicationStatus
    event_id: str | None = Field(
        description="Event id assigned by the bus; null unless it accepted the event."
    )


class BatchResponse(BaseModel):
    """Both transcripts of a recording, and the outcome of its event."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    interaction_id: UUID
    tenant_id: UUID
    user_id: str
    account_id: str | None
    raw_transcript: str
    cleaned_transcript: str
    cleaner: str = Field(default="rules", description="Cleaner that made the cleaned transcript.")
    fallback_segments: int = Field(
        default=0, description="Segments that were cleaned by rules, because the cleaner's model failed."
    )
    duration_seconds: float
    segments: tuple[Segment, ...]
    language: Annotated[
        str | SkipJsonSchema[None],
        Absent,
        Field(
            description="Code of the language that most of the speech is in; absent where it is not known."
        ),
    ] = None
    language_probability: Annotated[
        Share | SkipJsonSchema[None], Absent, Field(description="Share of the speech that is in it.")
    ] = None
    engine: Annotated[str | SkipJsonSchema[None], Absent, Field(description="Speech engine.")] = None
    model: Annotated[str | SkipJsonSchema[None], Absent, Field(description="Model of the engine.")] = None
    quality: Quality = Quality()
    event: EventOutcome
    warnings: tuple[ResultWarning, ...] = Field(
        default=(), description="What the caller should know although the request succeeded."
    )

    @classmethod
    def of(cls, result: BatchResult) -> Self:
        """Convert the result of the use case."""
        event_id = result.publication.event_id
        made_by = result.transcript.provenance
        return cls(
            interaction_id=result.interaction_id,
            tenant_id=result.identity.tenant_id,
            user_id=result.identity.user_id,
            account_id=result.identity.account_id,
            raw_transcript=result.transcript.text,
            cleaned_transcript=result.cleaned.text,
            cleaner=result.cleaned.cleaner,
            fallback_segments=result.cleaned.fallbacks,
            duration_seconds=round(result.transcript.duration_seconds, 3),
            segments=result.transcript.segments,
            **({} if made_by is None else made_by.model_dump()),
            quality=result.transcript.quality,
            event=EventOutcome(
                status=result.publication.status, event_id=None if event_id is None else str(event_id)
            ),
            warnings=result.warnings,
        )


class Problem(BaseModel):
    """Error response (RFC 9457)."""

    type: str = Field(examples=["urn:batch-transcription:problem:empty-recording"])
    title: str = Field(examples=["Empty recording"])
    status: int = Field(examples=[400])
    detail: str = Field(examples=["The recording has no bytes."])


class Liveness(BaseModel):
    """Sign of life of the process."""

    status: str = Field(examples=["live"])


class TranscriberHealth(BaseModel):
    """Number of transcription slots that are ready and taken; `problem` says why the last start failed."""

    ready_slots: int
    slots: int
    admitted: int
    capacity: int
    problem: str | None = None


class OutboxHealth(BaseModel):
    """Number of events in each state of the outbox, or the error that prevents counting them."""

    waiting: int | None = None
    rejected: int | None = None
    published: int | None = None
    oldest_waiting_seconds: float | None = None
    error: str | None = None


class RelayHealth(BaseModel):
    """State of the relay in this process; `paused` gives the reason while it sends nothing.

    `last_error` is the last failure of bus or outbox, until all events are accepted again.
    """

    paused: str | None
    seconds_since_beat: float | None
    last_error: str | None
    last_error_at: datetime | None


class EventsHealth(BaseModel):
    """State of event delivery; `held_back` gives the reason why events are queued without an attempt."""

    transport: str = Field(examples=["eventbridge"])
    held_back: str | None = None
    outbox: OutboxHealth | None = None
    relay: RelayHealth | None = None


class JobsHealth(BaseModel):
    """Number of jobs that have not ended, or the error that prevents counting them.

    `workers` is the number of jobs that this process works on at the same time.
    """

    queued: int | None = None
    processing: int | None = None
    oldest_queued_seconds: float | None = None
    workers: int
    error: str | None = None


class Readiness(BaseModel):
    """Readiness for uploads."""

    status: str = Field(description="ready, starting or unavailable", examples=["ready"])
    reason: str | None = Field(default=None, description="Why no recording is accepted now.")


class DetailedReadiness(Readiness):
    """Readiness for uploads, and the state of jobs and of event delivery."""

    transcriber: TranscriberHealth
    jobs: JobsHealth
    events: EventsHealth
