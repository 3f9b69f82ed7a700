"""The published contract: `BatchProcessingCompleted`, schemas 1.0 and 2.0 (requirement 1).

1.0 carries the transcripts; 2.0, for those too large for a bus, refers to them. A change of these models
affects every consumer: the published schemas are generated from them, and a test compares the models with
every schema published before. In those schemas, consumers read the first paragraphs of the docstrings and the
descriptions of the fields.
"""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, NamedTuple, Self, TypeVar
from uuid import UUID

from pydantic import (
    UUID4,
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import from_json

from domain.model.events.version import SchemaVersion

DEFAULT_EVENT_SOURCE = "com.yourapp.transcription"
"""Default source of events (requirement 3.8)."""

TEST_EVENT_LABEL = "urn:batch-transcription:test-event"
"""Label in the envelope of an event that only tests the route: consumers skip it (requirement 8)."""


_UNDELIVERABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is before the year 1 or after 9999 in UTC") from None


def _iso_8601(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _deliverable(text: str) -> str:
    """Refuse characters that SQS refuses in a message body: lone surrogates, U+FFFE and U+FFFF."""
    if not text.isascii() and _UNDELIVERABLE.search(text):  # isascii is fast
        raise ValueError("holds a character that message queues refuse")
    return text


UUID_V4_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
TIMESTAMP_PATTERN = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z$"

Text = Annotated[str, AfterValidator(_deliverable)]
Uuid4 = Annotated[UUID4, WithJsonSchema({"type": "string", "format": "uuid", "pattern": UUID_V4_PATTERN})]
Timestamp = Annotated[
    AwareDatetime,
    AfterValidator(_in_utc),
    PlainSerializer(_iso_8601, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": TIMESTAMP_PATTERN}),
]


class TranscriptData(BaseModel):
    """Both transcripts of the recording.

    Requirement 1.8.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    raw_transcript: Text = Field(
        description="The words as they were heard; empty for a recording without speech."
    )
    cleaned_transcript: Text = Field(
        description="The same text without hesitations, stutters and noise, in sentences."
    )

    @property
    def characters(self) -> int:
        """Number of characters of both transcripts."""
        return len(self.raw_transcript) + len(self.cleaned_transcript)


class EventFields(BaseModel):
    """Fields that all events share, in the order of their JSON."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    DETAIL_TYPE: ClassVar[str]

    version: str
    interaction_id: Uuid4 = Field(
        description="UUID v4 of the recording's processing. It stays the same however often the event is "
        "delivered: recognise duplicates by it."
    )
    tenant_id: Uuid4 = Field(description="UUID v4 of the organisation that owns the transcript.")
    user_id: Text = Field(min_length=1, description="The user who uploaded the recording.")
    account_id: Text | None = Field(description="The account within the tenant, if the request named one.")
    timestamp: Timestamp = Field(
        description="When processing ended: ISO 8601, UTC, microseconds. Events come in no promised order."
    )

    def to_json(self) -> str:
        """Serialize the event as compact JSON in the order of the schema."""
        return self.model_dump_json()


class _Completed(EventFields):
    """Fields that all versions of `BatchProcessingCompleted` share."""

    DETAIL_TYPE: ClassVar[str] = "BatchProcessingCompleted"

    status: Literal["completed"] = Field(
        default="completed", description="The transcription succeeded; failures are another event."
    )


class BatchProcessingCompleted(_Completed):
    """A recording was transcribed and cleaned; the event carries both transcripts.

    Strict and frozen: unknown keys, a UUID of another version, a naive timestamp or an empty `user_id` are
    refused. `interaction_id` stays the same however often the event is delivered: consumers recognise
    duplicates by it.
    """

    SCHEMA_VERSION: ClassVar[str] = "1.0"

    version: Literal["1.0"] = "1.0"
    data: TranscriptData


class TranscriptRef(BaseModel):
    """Reference to the object that holds both transcripts: the JSON that `data` has in version 1.0.

    Its bytes are `TranscriptData` as JSON.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    bucket: Text = Field(min_length=1, description="The S3 bucket that holds the object.")
    key: Text = Field(min_length=1, description="The object's key in that bucket.")
    size: int = Field(ge=0, description="Bytes of the object.")
    sha256: str = Field(
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 of the object's bytes, in hexadecimal: compare it with what you fetched.",
    )


class TranscriptRefData(BaseModel):
    """A reference to the transcripts, in place of the transcripts of version 1.0."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    transcript_ref: TranscriptRef


class BatchProcessingCompletedV2(_Completed):
    """A recording was transcribed and cleaned; its transcripts are too large for an event and lie elsewhere.

    A version of its own, because a reader of 1.0 could not read it. Everything but `data` is as in 1.0.
    """

    SCHEMA_VERSION: ClassVar[str] = "2.0"

    version: Literal["2.0"] = "2.0"
    data: TranscriptRefData

    @classmethod
    def referring(cls, event: BatchProcessingCompleted, ref: TranscriptRef) -> Self:
        """Copy the event with a reference in place of its transcripts."""
        return cls(
            interaction_id=event.interaction_id,
            tenant_id=event.tenant_id,
            user_id=event.user_id,
            account_id=event.account_id,
            timestamp=event.timestamp,
            data=TranscriptRefData(transcript_ref=ref),
        )


CompletedEvent = BatchProcessingCompleted | BatchProcessingCompletedV2
"""The event in any version that this service sends."""

KNOWN_VERSIONS = tuple(
    SchemaVersion.parse(model.SCHEMA_VERSION)
    for model in (BatchProcessingCompleted, BatchProcessingCompletedV2)
)

Event = TypeVar("Event")


def read_versions(text: str, reader: TypeAdapter[Event], versions: tuple[SchemaVersion, ...]) -> Event:
    """Parse an event by its reader, as the known version of its major number.

    Raises:
        pydantic.ValidationError: the event breaks the schema of its version, or its version is unknown.
    """
    try:
        return reader.validate_json(text)
    except ValidationError:
        known = _in_known_version(text, versions)
        if known is None:
            raise
        return reader.validate_json(known, extra="ignore")


def _in_known_version(text: str, versions: tuple[SchemaVersion, ...]) -> str | None:
    """Relabel an event of a later minor version as the known version; None for any other text."""
    try:
        event = from_json(text)
        written = event["version"]
    except (ValueError, TypeError, KeyError):
        return None
    known = version_to_read(written, versions)
    return json.dumps({**event, "version": str(known)}) if known and str(known) != written else None


def version_to_read(
    written: object, versions: tuple[SchemaVersion, ...] = KNOWN_VERSIONS
) -> SchemaVersion | None:
    """Return the known version as which an event of version `written` is read; None where there is none.

    The known version has the same major number; keys of a later minor version are ignored (docs/adr/0012).
    """
    with suppress(ValueError):
        version = SchemaVersion.parse(written) if isinstance(written, str) else None
        return next((known for known in versions if version and known.can_read(version)), None)
    return None


class PublicationStatus(StrEnum):
    """Result of publishing an event, as reported to the caller."""

    PUBLISHED = "published"
    """The bus accepted it."""
    QUEUED = "queued"
    """The event is stored durably and will be delivered."""
    FAILED = "failed"
    """The event could not be delivered and is not stored, or the bus rejected it and it is parked."""
    DISABLED = "disabled"
    """Publishing is disabled."""


class Publication(NamedTuple):
    """Result of publishing one event; `event_id` is the transport's receipt, where there is one."""

    status: PublicationStatus
    event_id: UUID | str | None = None
