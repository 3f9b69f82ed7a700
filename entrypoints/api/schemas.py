"""The HTTP contract of the answers."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from domain.model.events.event import PublicationStatus
from domain.model.transcripts import Segment
from domain.services.batch_processing import BatchResult

_EXAMPLE: JsonDict = {
    "interaction_id": "7b1c54c5-9a0e-4b07-8b1f-1f4f3ce8a1de",
    "tenant_id": "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11",
    "user_id": "alice",
    "account_id": None,
    "raw_transcript": "um please open the the window",
    "cleaned_transcript": "Please open the window.",
    "duration_seconds": 3.4,
    "segments": [{"start": 0.3, "end": 3.1, "text": "um please open the the window"}],
    "event": {"status": "published", "event_id": "0d1d4a27-9f3c-4d6f-8a6e-1a2b3c4d5e6f"},
}


class EventOutcome(BaseModel):
    """What became of the event: published, queued, failed or disabled."""

    status: PublicationStatus
    event_id: str | None = Field(description="The bus's receipt, where the bus accepted the event.")


class BatchResponse(BaseModel):
    """Both transcripts of a recording, and what became of the event that tells of them."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    interaction_id: UUID
    tenant_id: UUID
    user_id: str
    account_id: str | None
    raw_transcript: str
    cleaned_transcript: str
    duration_seconds: float
    segments: tuple[Segment, ...]
    event: EventOutcome

    @classmethod
    def of(cls, result: BatchResult) -> Self:
        """Shape a result for the outside."""
        event_id = result.publication.event_id
        return cls(
            interaction_id=result.interaction_id,
            tenant_id=result.identity.tenant_id,
            user_id=result.identity.user_id,
            account_id=result.identity.account_id,
            raw_transcript=result.transcript.text,
            cleaned_transcript=result.cleaned_transcript,
            duration_seconds=round(result.transcript.duration_seconds, 3),
            segments=result.transcript.segments,
            event=EventOutcome(
                status=result.publication.status, event_id=None if event_id is None else str(event_id)
            ),
        )


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = Field(examples=["urn:batch-transcription:problem:empty-recording"])
    title: str = Field(examples=["Empty recording"])
    status: int = Field(examples=[400])
    detail: str = Field(examples=["The recording has no bytes."])


class TranscriberHealth(BaseModel):
    """How many transcription slots are ready and taken."""

    ready_slots: int
    slots: int
    admitted: int
    capacity: int


class OutboxHealth(BaseModel):
    """How many events stand where, or why that cannot be told."""

    waiting: int | None = None
    rejected: int | None = None
    published: int | None = None
    oldest_waiting_seconds: float | None = None
    error: str | None = None


class RelayHealth(BaseModel):
    """How the relay of this process is; `paused` says why it sends nothing just now."""

    paused: str | None
    seconds_since_beat: float | None
    last_error: str | None


class EventsHealth(BaseModel):
    """How events leave; `held_back` says why callers are answered `queued` without an attempt."""

    transport: str = Field(examples=["eventbridge"])
    held_back: str | None = None
    outbox: OutboxHealth | None = None
    relay: RelayHealth | None = None


class Readiness(BaseModel):
    """Whether recordings can be handed in now, and how events fare."""

    status: str = Field(examples=["ready"])
    transcriber: TranscriberHealth
    events: EventsHealth
