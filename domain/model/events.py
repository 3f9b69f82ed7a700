"""The published contract: `BatchProcessingCompleted`, schema 1.0 (requirement 1).

A change of this model is a change of every consumer. `schema_version.required_bump` says what a change
costs, and a test holds the model against the schema that was last published.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, NamedTuple
from uuid import UUID

from pydantic import UUID4, AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

DEFAULT_EVENT_SOURCE = "com.yourapp.transcription"
"""Who speaks, where the configuration does not say otherwise (requirement 3.8)."""

TEST_EVENT_LABEL = "urn:batch-transcription:test-event"
"""Travels beside an event that only tests the route, so that consumers can skip it (requirement 8)."""


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _iso_8601(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _deliverable(text: str) -> str:
    """Refuse what a message queue refuses in a body: lone surrogates, U+FFFE and U+FFFF (SQS SendMessage)."""
    if any("\ud800" <= character <= "\udfff" or character in "\ufffe\uffff" for character in text):
        raise ValueError("holds a character that message queues refuse")
    return text


Text = Annotated[str, AfterValidator(_deliverable)]
Timestamp = Annotated[
    AwareDatetime, AfterValidator(_in_utc), PlainSerializer(_iso_8601, return_type=str, when_used="json")
]


class TranscriptData(BaseModel):
    """What the consumers want: both transcripts (requirement 1.8)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    raw_transcript: Text
    cleaned_transcript: Text


class BatchProcessingCompleted(BaseModel):
    """A recording was transcribed and cleaned.

    Strict and frozen: unknown keys, a UUID of another version, a naive timestamp or an empty `user_id` are
    refused. `interaction_id` stays the same however often the event is delivered: consumers recognise
    duplicates by it.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    DETAIL_TYPE: ClassVar[str] = "BatchProcessingCompleted"
    SCHEMA_VERSION: ClassVar[str] = "1.0"

    version: Literal["1.0"] = "1.0"
    interaction_id: UUID4
    tenant_id: UUID4
    user_id: Text = Field(min_length=1)
    account_id: Text | None
    timestamp: Timestamp
    status: Literal["completed"] = "completed"
    data: TranscriptData

    def to_json(self) -> str:
        """The event as it travels: compact JSON in the order of the schema."""
        return self.model_dump_json()


class PublicationStatus(StrEnum):
    """What became of an event, as the caller is told."""

    PUBLISHED = "published"
    """The bus accepted it."""
    QUEUED = "queued"
    """It is kept durably and will be delivered."""
    FAILED = "failed"
    """It could not be delivered and is not kept."""
    DISABLED = "disabled"
    """Publishing is switched off."""


class Publication(NamedTuple):
    """The fate of one event; `event_id` is the transport's own receipt, where there is one."""

    status: PublicationStatus
    event_id: UUID | str | None = None
