"""Messages between the service and its worker processes: one JSON object per line.

A worker decodes hostile input and is not trusted: the service validates every message.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PlainSerializer, PlainValidator, TypeAdapter

from domain.model import errors
from domain.model.transcripts import DEFAULT_OPTIONS, Transcript, TranscriptionOptions

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

MAX_LINE_BYTES = 64 * 2**20
"""Limit of a worker's message; the transcript of a day of fast speech stays below 4 MiB."""

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


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def to_line(self) -> bytes:
        """Encode the message as one line."""
        return self.model_dump_json().encode() + b"\n"


class Job(_Line):
    """Service to worker: transcribe a recording."""

    recording: AnyPath
    max_audio_seconds: float
    options: TranscriptionOptions = DEFAULT_OPTIONS


class Ready(_Line):
    """Worker to service: the engine is loaded, and has transcribed the built-in half second of sound."""

    kind: Literal["ready"] = "ready"


class Advanced(_Line):
    """Worker to service: progress, which is also the sign of life."""

    kind: Literal["advanced"] = "advanced"
    done_seconds: FiniteFloat
    total_seconds: FiniteFloat | None


class Finished(_Line):
    """Worker to service: the transcript."""

    kind: Literal["finished"] = "finished"
    transcript: Transcript


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


Message = Annotated[Ready | Advanced | Finished | Failed, Field(discriminator="kind")]

_MESSAGES: TypeAdapter[Ready | Advanced | Finished | Failed] = TypeAdapter(Message)


def parse_message(line: bytes) -> Ready | Advanced | Finished | Failed:
    """Parse one line of a worker.

    Raises:
        ValueError: the line is not a valid message.
    """
    return _MESSAGES.validate_json(line)
