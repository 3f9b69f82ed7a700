"""Transcripts with timed segments and words, and how a caller wants a recording to be transcribed."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Self

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


MAX_VOCABULARY_TERMS = 100
MAX_TERM_LENGTH = 64

Language = Annotated[str, Field(pattern="^[a-z]{2,3}$")]
"""Code of a language: ISO 639-1, such as "en", or ISO 639-3 where there is no shorter one."""

_NOT_IN_A_TERM = r"<>\x00-\x1f\x7f"
Term = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_TERM_LENGTH,
        pattern=rf"^[^{_NOT_IN_A_TERM}]*[^\s{_NOT_IN_A_TERM}][^{_NOT_IN_A_TERM}]*$",
    ),
]
"""Name or product word: one line without "<" and ">", which engines read as marks."""


def terms_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Read a vocabulary that was written in one text or several, with commas between its terms."""
    terms = (term.strip() for text in texts for term in text.split(","))
    return tuple(term for term in terms if term)


class TranscriptionOptions(BaseModel):
    """Choice of the voices that are transcribed, and what the caller knows about their speech.

    Errors quote the description of an option whose values are not listed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: Channels = Channels.MIXED
    tracks: Tracks = Tracks.ONE
    language: Language | None = Field(  # None: the setting TRANSCRIBER_LANGUAGE, else the engine finds it
        None, description='the code of a language in small letters, such as "en"'
    )
    vocabulary: tuple[Term, ...] = Field(
        (),
        max_length=MAX_VOCABULARY_TERMS,
        description=f"up to {MAX_VOCABULARY_TERMS} terms, each of one line and at most {MAX_TERM_LENGTH}"
        " characters, without < and >",
    )


DEFAULT_OPTIONS = TranscriptionOptions()


def _is_none(value: object) -> bool:
    return value is None


def _is_empty(value: tuple[object, ...]) -> bool:
    return not value


def _is_false(value: object) -> bool:
    return value is False


def _without_default(schema: dict[str, JsonValue]) -> None:
    schema.pop("default")  # absent, and never null


Absent = Field(default=None, exclude_if=_is_none, json_schema_extra=_without_default)
"""Absent in JSON where there is nothing to say; never null."""

Number = Annotated[Annotated[int, Field(ge=1)] | SkipJsonSchema[None], Absent]
"""Number of a track or channel, from 1; absent where the caller did not ask for it."""

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""Part of a whole, or a probability."""

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Timed(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    start: Seconds
    end: Seconds
    text: str  # on one line

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Self:
        if self.end < self.start:
            raise ValueError("it ends before it starts")
        return self


class Word(_Timed):
    """One word between two moments of a recording, in seconds from its beginning."""

    confidence: Annotated[Share | SkipJsonSchema[None], Absent] = None  # the engine's own estimate


class Segment(_Timed):
    """Words spoken between two moments of a recording, in seconds from its beginning."""

    words: tuple[Word, ...] = Field((), exclude_if=_is_empty)  # of an engine that times words
    speaker: Annotated[str | SkipJsonSchema[None], Absent] = None  # of an engine that tells speakers apart
    track: Number = None  # with `Tracks.ALL`: the sound track in which the words are spoken
    channel: Number = None  # with `Channels.SEPARATE`: the channel of the track
    # true where the engine's words contradict the sound, even at a second try (`Quality.suspect_units`)
    is_doubtful: bool = Field(default=False, exclude_if=_is_false)


class Quality(BaseModel):
    """Trust in a transcript: what the checks of the engine's answers found (docs/engines.md)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    suspect_units: int = Field(0, ge=0)  # units whose words contradict their sound, even at a second try
    retried_units: int = Field(0, ge=0)  # units that were recognised twice
    coverage: Share = 1.0  # share of the speech that was heard for which there are words


class Provenance(BaseModel):
    """Engine and model that made a transcript, and the language in which they heard it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    engine: str
    model: str
    language: Annotated[str | SkipJsonSchema[None], Absent] = None  # None: without speech, or not known
    language_probability: Annotated[Share | SkipJsonSchema[None], Absent] = None


class Transcript(BaseModel):
    """The transcript of one recording."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    duration_seconds: Seconds  # the length of the recording's sound
    # in the order in which they began; only those of different channels or tracks may overlap; empty for a
    # recording without speech
    segments: tuple[Segment, ...] = ()
    warnings: tuple[ResultWarning, ...] = ()  # what the recording did not allow
    provenance: Provenance | None = None
    quality: Quality = Quality()

    @property
    def text(self) -> str:
        """Raw transcript: the segments' words, separated by single spaces."""
        return " ".join(segment.text for segment in self.segments if segment.text)
