"""Messages between the service and its worker processes: one JSON object per line, some with samples behind.

A worker decodes hostile input and is not trusted: the service validates every message.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    model_validator,
)

from adapters.speech.playback.pieces import MAX_PAIRS, MAX_PIECE_BYTES, CopyPiece
from domain.model import errors
from domain.model.engines import EngineDescription
from domain.model.result_warnings import ResultWarning
from domain.model.speech import BYTES_PER_SAMPLE, MAX_UNIT_SECONDS, SAMPLE_RATE, HeardUnit, SpeechUnit
from domain.model.transcripts import DEFAULT_OPTIONS, TranscriptionOptions

REPORTABLE: dict[str, type[errors.TranscriptionServiceError]] = {
    error.__name__: error
    for error in (
        errors.EmptyRecordingError,
        errors.NotAudioError,
        errors.UnsupportedFormatError,
        errors.UndecodableAudioError,
        errors.AudioTooLongError,
        errors.TranscriberCrashedError,
    )
}
"""Errors that a worker may report."""

MAX_LINE_BYTES = 2**20
"""Limit of a worker's line; half a minute of the fastest speech, with the times of its words, is 40 kB."""

MAX_UNIT_BYTES = int(MAX_UNIT_SECONDS * SAMPLE_RATE) * BYTES_PER_SAMPLE

MAX_SAMPLES = 2**53
"""Position behind every sample of a recording; a float still tells it from its neighbours."""

MAX_MESSAGE_CHARACTERS = 500
MAX_TRACE_CHARACTERS = 20_000


def _to_hex(path: Path) -> str:
    return os.fsencode(path).hex()


def _from_hex(value: object) -> Path:
    return value if isinstance(value, Path) else Path(os.fsdecode(bytes.fromhex(str(value))))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


AnyPath = Annotated[Path, PlainSerializer(_to_hex), PlainValidator(_from_hex)]
"""Path as hexadecimal bytes: file names need not be text."""


Size = Annotated[int, Field(ge=0, le=MAX_UNIT_BYTES, multiple_of=BYTES_PER_SAMPLE)]
"""Size of a unit's samples, in bytes."""

Number = Annotated[int, Field(ge=1)]
"""Number of a track or channel."""

Length = Annotated[FiniteFloat, Field(ge=0)]
"""Seconds of sound."""


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def to_line(self) -> bytes:
        """Encode the message as one line."""
        return self.model_dump_json().encode() + b"\n"


class ReadJob(_Line):
    """Service to reader: read a recording."""

    kind: Literal["read"] = "read"
    recording: AnyPath
    max_audio_seconds: float
    options: TranscriptionOptions = DEFAULT_OPTIONS


class CopyJob(_Line):
    """Service to reader: make a playback copy of a recording."""

    kind: Literal["copy"] = "copy"
    recording: AnyPath
    max_audio_seconds: float


class UnitJob(_Line):
    """Service to recogniser: recognise the samples that follow this line."""

    kind: Literal["unit"] = "unit"
    size: Size
    language: str | None
    vocabulary: tuple[str, ...]
    again: bool


class Ready(_Line):
    """Worker to service: everything is loaded, and the built-in half second of sound was heard."""

    kind: Literal["ready"] = "ready"
    engine: EngineDescription | None = None  # of a recogniser


class Advanced(_Line):
    """Reader to service: progress, which is also the sign of life."""

    kind: Literal["advanced"] = "advanced"
    done_seconds: Length
    total_seconds: Length | None


class Cut(_Line):
    """Reader to service: a unit, whose samples follow this line."""

    kind: Literal["cut"] = "cut"
    size: Size
    start: int = Field(ge=0, le=MAX_SAMPLES)
    speech: tuple[tuple[int, int], ...]
    track: Number | None
    channel: Number | None

    @model_validator(mode="after")
    def _holds_its_speech(self) -> Self:
        moments = [0, *(moment for span in self.speech for moment in span), self.size // BYTES_PER_SAMPLE]
        if moments != sorted(moments):
            raise ValueError("the speech does not lie in the unit, or not in order")
        return self

    @classmethod
    def of(cls, unit: SpeechUnit) -> "Cut":
        """Describe a unit without its samples."""
        return cls(
            size=len(unit.samples),
            start=unit.start,
            speech=unit.speech,
            track=unit.track,
            channel=unit.channel,
        )

    def with_samples(self, samples: bytes) -> SpeechUnit:
        """Build the unit again."""
        return SpeechUnit(self.start, samples, self.speech, self.track, self.channel)


class ReadToEnd(_Line):
    """Reader to service: the recording has been read."""

    kind: Literal["read-to-end"] = "read-to-end"
    duration_seconds: Length
    is_audible: bool
    warnings: tuple[ResultWarning, ...]


class Copied(_Line):
    """Reader to service: a piece of a playback copy, whose bytes follow this line."""

    kind: Literal["copied"] = "copied"
    size: int = Field(ge=0, le=MAX_PIECE_BYTES)
    is_head: bool  # belongs in front of all pieces that do not

    def with_samples(self, content: bytes) -> CopyPiece:
        """Return the piece."""
        return CopyPiece(content, self.is_head)


class CopyMade(_Line):
    """Reader to service: the playback copy is complete."""

    kind: Literal["copy-made"] = "copy-made"
    duration_seconds: Length
    peaks: tuple[Annotated[int, Field(ge=-128, le=127)], ...] = Field(max_length=2 * MAX_PAIRS)


class Recognised(_Line):
    """Recogniser to service: what was heard in the unit."""

    kind: Literal["recognised"] = "recognised"
    heard: HeardUnit


class Failed(_Line):
    """Worker to service: the error that ended the transcription."""

    kind: Literal["failed"] = "failed"
    error: str = Field(max_length=MAX_MESSAGE_CHARACTERS)
    message: str = Field(max_length=MAX_MESSAGE_CHARACTERS)
    # stack trace of an unexpected error, for the log; else empty
    trace: str = Field("", max_length=MAX_TRACE_CHARACTERS)

    @classmethod
    def of(cls, error: BaseException, *, message: str = "", trace: str = "") -> "Failed":
        """Describe an error within the limits of a message; keep the end of a trace, which says most."""
        return cls(
            error=type(error).__name__,
            message=_encodable(message or str(error))[:MAX_MESSAGE_CHARACTERS],
            trace=_encodable(trace)[-MAX_TRACE_CHARACTERS:],
        )

    def to_error(self) -> errors.TranscriptionServiceError:
        """Build the error that the worker named; a name that is not `REPORTABLE` counts as a crash."""
        return REPORTABLE.get(self.error, errors.TranscriberCrashedError)(self.message)


Message = Ready | Advanced | Cut | ReadToEnd | Copied | CopyMade | Recognised | Failed
"""Message of a worker."""

Job = ReadJob | CopyJob | UnitJob
"""Message of the service."""

_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])
_JOBS: TypeAdapter[Job] = TypeAdapter(Annotated[Job, Field(discriminator="kind")])


def parse_message(line: bytes) -> Message:
    """Parse one line of a worker.

    Raises:
        ValueError: the line is not a valid message.
    """
    return _MESSAGES.validate_json(line)


def parse_job(line: bytes) -> Job:
    """Parse one line of the service."""
    return _JOBS.validate_json(line)
