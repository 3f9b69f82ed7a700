"""The event of a recording that could not be transcribed: `BatchProcessingFailed`, schema 1.0."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.model.events.event import EventFields, Text

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
