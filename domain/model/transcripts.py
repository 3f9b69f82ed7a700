"""Transcripts with timed segments, and how a caller wants a recording to be transcribed."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.json_schema import SkipJsonSchema

from domain.model.result_warnings import ResultWarning


class Channels(StrEnum):
    """Treatment of the channels of a sound track."""

    MIXED = "mixed"
    SEPARATE = "separate"  # transcribe each by itself


class Tracks(StrEnum):
    """Treatment of the sound tracks of a recording."""

    ONE = "one"  # the default one, else the first with sound
    ALL = "all"  # transcribe each by itself


class TranscriptionOptions(BaseModel):
    """Choice of the voices that are transcribed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: Channels = Channels.MIXED
    tracks: Tracks = Tracks.ONE


DEFAULT_OPTIONS = TranscriptionOptions()


def _is_none(value: object) -> bool:
    return value is None


def _without_default(schema: dict[str, JsonValue]) -> None:
    schema.pop("default")  # absent, and never null


Number = Annotated[
    Annotated[int, Field(ge=1)] | SkipJsonSchema[None],
    Field(default=None, exclude_if=_is_none, json_schema_extra=_without_default),
]
"""Number of a track or channel, from 1; absent in JSON where the caller did not ask for it."""


class Segment(BaseModel):
    """Words spoken between two moments of a recording, in seconds from its beginning."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    start: float = Field(ge=0, allow_inf_nan=False)
    end: float = Field(ge=0, allow_inf_nan=False)
    text: str  # the words as the engine recognised them, on one line
    track: Number = None  # with `Tracks.ALL`: the sound track in which the words are spoken
    channel: Number = None  # with `Channels.SEPARATE`: the channel of the track

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> "Segment":
        if self.end < self.start:
            raise ValueError("a segment ends before it starts")
        return self


class Transcript(BaseModel):
    """The transcript of one recording."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    duration_seconds: float = Field(ge=0, allow_inf_nan=False)  # the length of the recording's sound
    # in the order in which they began; only those of different channels or tracks may overlap; empty for a
    # recording without speech
    segments: tuple[Segment, ...] = ()
    warnings: tuple[ResultWarning, ...] = ()  # what the recording did not allow

    @property
    def text(self) -> str:
        """Raw transcript: the segments' words, separated by single spaces."""
        return " ".join(segment.text for segment in self.segments if segment.text)
