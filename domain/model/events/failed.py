"""The event of a recording that could not be transcribed: `BatchProcessingFailed`, schema 1.0."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from domain.model.events.event import (
    BatchProcessingCompleted,
    CompletedEvent,
    EventFields,
    Text,
    in_known_version,
)
from domain.model.events.version import SchemaVersion

MAX_DETAIL_LENGTH = 2000
"""Longest explanation of a failure, in characters."""


class FailureData(BaseModel):
    """The reason of a failure; no text of the recording."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    reason: str = Field(
        pattern="^[a-z0-9]+(-[a-z0-9]+)*$",
        description="The name of the problem, such as undecodable-audio; cancelled where a caller cancelled.",
    )
    detail: Text = Field(
        max_length=MAX_DETAIL_LENGTH,
        description="What failed, in one sentence for people; the words may change.",
    )
    retryable: bool = Field(description="True if the same recording may succeed at another try.")

    @property
    def characters(self) -> int:
        """Number of characters of the texts."""
        return len(self.reason) + len(self.detail)


class BatchProcessingFailed(EventFields):
    """A recording that was accepted could not be transcribed, or was cancelled; there is no transcript.

    Strict and frozen, as `BatchProcessingCompleted`.
    """

    DETAIL_TYPE: ClassVar[str] = "BatchProcessingFailed"
    SCHEMA_VERSION: ClassVar[str] = "1.0"

    version: Literal["1.0"] = "1.0"
    status: Literal["failed"] = Field(default="failed", description="The recording was not transcribed.")
    data: FailureData


TerminalEvent = BatchProcessingCompleted | BatchProcessingFailed
"""The one event that tells how a recording ended, as the outbox stores it."""

SentEvent = CompletedEvent | BatchProcessingFailed
"""An event in any type and version that this service sends."""

_sent: TypeAdapter[SentEvent] = TypeAdapter(SentEvent)
_terminal: TypeAdapter[TerminalEvent] = TypeAdapter(Annotated[TerminalEvent, Field(discriminator="status")])


def terminal_event(text: str) -> TerminalEvent:
    """Read an event that `to_json` wrote.

    Raises:
        pydantic.ValidationError: the text is no such event.
    """
    return _terminal.validate_json(text)


def read_failed(text: str) -> BatchProcessingFailed:
    """Parse a failed event in any version with a known major number, as `read_event` does.

    Raises:
        pydantic.ValidationError: the event breaks the schema, or its version is unknown.
    """
    try:
        return BatchProcessingFailed.model_validate_json(text)
    except ValidationError:
        known = in_known_version(text, (SchemaVersion.parse(BatchProcessingFailed.SCHEMA_VERSION),))
        if known is None:
            raise
        return BatchProcessingFailed.model_validate_json(known, extra="ignore")


def sent_event(text: str) -> SentEvent:
    """Read an event in any type and version of this service, strictly.

    Raises:
        pydantic.ValidationError: the text is no such event.
    """
    return _sent.validate_json(text)
