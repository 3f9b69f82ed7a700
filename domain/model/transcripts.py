"""Transcripts with timed segments."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.model.result_warnings import ResultWarning


class Segment(BaseModel):
    """Words spoken between two moments of a recording, in seconds from its beginning."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    start: float = Field(ge=0, allow_inf_nan=False)
    end: float = Field(ge=0, allow_inf_nan=False)
    text: str  # the words as the engine recognised them, on one line

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> "Segment":
        if self.end < self.start:
            raise ValueError("a segment ends before it starts")
        return self


class Transcript(BaseModel):
    """The transcript of one recording."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    duration_seconds: float = Field(ge=0, allow_inf_nan=False)  # the length of the recording's sound
    # in the order in which they were spoken; empty for a recording without speech
    segments: tuple[Segment, ...] = ()
    warnings: tuple[ResultWarning, ...] = ()  # what the recording did not allow

    @property
    def text(self) -> str:
        """Raw transcript: the segments' words, separated by single spaces."""
        return " ".join(segment.text for segment in self.segments if segment.text)
