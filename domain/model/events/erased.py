"""The event of a transcript that was erased: `TranscriptErased`, schema 1.0."""

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.model.events.event import EventFields, Text, Timestamp


class ErasureCause(StrEnum):
    """Reason of an erasure."""

    REQUEST = "request"
    """A caller or an operator asked for it."""
    RETENTION = "retention"
    """The time for which transcripts are kept is over."""


class ErasureData(BaseModel):
    """The erasure: who asked for it, why and when; no text of the recording."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    requested_by: Text = Field(
        min_length=1, max_length=256, description="The user or the operator who asked for the erasure."
    )
    cause: ErasureCause = Field(description="`request`, or `retention` where its time was over.")
    at: Timestamp = Field(description="When the service erased the transcript: ISO 8601, UTC.")

    @property
    def characters(self) -> int:
        """Number of characters of the texts."""
        return len(self.requested_by)


class TranscriptErased(EventFields):
    """A transcript was erased by the service: consumers must erase their copies.

    It may arrive before the `BatchProcessingCompleted` of the same `interaction_id`, as events come in no
    promised order: keep the id, and drop that event. Strict and frozen, as `BatchProcessingCompleted`.
    """

    DETAIL_TYPE: ClassVar[str] = "TranscriptErased"
    SCHEMA_VERSION: ClassVar[str] = "1.0"

    version: Literal["1.0"] = "1.0"
    status: Literal["erased"] = Field(default="erased", description="The transcript is gone.")
    data: ErasureData
