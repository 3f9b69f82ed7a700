"""Port of speech recognition."""

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from domain.model.transcripts import DEFAULT_OPTIONS, Transcript, TranscriptionOptions


class Progress(NamedTuple):
    """Progress of a transcription, in seconds of sound."""

    done_seconds: float
    total_seconds: float | None
    """None where the recording does not declare its length."""


ProgressListener = Callable[[Progress], None]


class Checkpoint(Protocol):
    """Results of finished parts of one recording, from which its transcription goes on after a crash.

    A result belongs to a fingerprint of the sound, of the engine and of what is asked of it. It is a JSON
    object, of which only the member `heard`, a `HeardUnit`, has words of the speech.
    """

    @abstractmethod
    def find(self, fingerprint: str, /) -> str | None:
        """Return the result that was saved under a fingerprint, as JSON; None if there is none."""
        ...

    @abstractmethod
    def save(self, fingerprint: str, result_json: str, /) -> None:
        """Save a result; returns at once, and the result is durable soon."""
        ...


class TranscriberState(NamedTuple):
    """Load of a transcriber."""

    ready_slots: int
    """Slots that have transcribed a built-in half second of sound since they started."""
    slots: int
    admitted: int
    """Recordings that are being transcribed or wait for a slot."""
    capacity: int
    """Recordings that may be admitted at the same time."""
    problem: str | None = None
    """Why a slot could not be started the last time; None where the last start succeeded."""
    retry_after_seconds: int = 1
    """Estimate of the time until the first of the recordings at work is done."""


class TranscriberPort(Protocol):
    """Speech recogniser with a bounded number of slots and a small waiting room.

    The same recording gives the same transcript, independent of earlier ones. Segments are in order, do not
    overlap (unless channels or tracks are transcribed separately) and lie within the recording. A recording
    without speech gives a transcript without segments; if it has sound, a warning says so. Recordings may be
    transcribed concurrently. Cancelling the call ends the work on its recording.
    """

    @abstractmethod
    async def transcribe(
        self,
        recording: Path,
        /,
        *,
        options: TranscriptionOptions = DEFAULT_OPTIONS,
        on_progress: ProgressListener | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Transcript:
        """Turn the sound of one recording into a transcript.

        Args:
            recording: a file in any supported format, recognised by its content, never by its name.
            options: the channels and tracks to transcribe.
            on_progress: called in the caller's event loop, from time to time.
            checkpoint: finished parts of an earlier try, which are not transcribed again.

        Raises:
            RecordingError: the recording is at fault (see its subclasses).
            TranscriptionError: the engine is at fault, or busy (see its subclasses).
        """
        ...

    @abstractmethod
    def check_capacity(self) -> None:
        """Check that a recording would be admitted now.

        Raises:
            TranscriberBusyError: all slots and the waiting room are taken; says when to try again.
        """
        ...

    @abstractmethod
    def state(self) -> TranscriberState:
        """Return the current load of the transcriber."""
        ...
