"""How recordings become transcripts."""

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from domain.model.transcripts import Transcript


class Progress(NamedTuple):
    """How far the work on a recording has come, in seconds of its sound."""

    done_seconds: float
    total_seconds: float | None
    """None where the recording does not say how long it is."""


ProgressListener = Callable[[Progress], None]


class TranscriberState(NamedTuple):
    """How busy a transcriber is."""

    ready_slots: int
    slots: int
    admitted: int
    """Recordings that are being worked on or wait for a slot."""
    capacity: int
    """How many may be admitted at once."""


class TranscriberPort(Protocol):
    """A speech recogniser with a bounded number of slots and a small waiting room.

    The same recording gives the same transcript, whatever was transcribed before it. Segments are in order,
    do not overlap and lie within the recording. A recording without speech gives a transcript without
    segments. Several recordings may be handed in at once. Cancelling the call ends the work on the recording.
    """

    @abstractmethod
    async def transcribe(
        self, recording: Path, /, *, on_progress: ProgressListener | None = None
    ) -> Transcript:
        """Turn the sound of one recording into a transcript.

        Args:
            recording: a file in any supported format, told by its content, never by its name.
            on_progress: called in the caller's event loop, now and then.

        Raises:
            RecordingError: the recording is at fault (see its subclasses).
            TranscriptionError: the engine is at fault, or busy (see its subclasses).
        """
        ...

    @abstractmethod
    def check_capacity(self) -> None:
        """Ask beforehand whether a recording handed in now would be admitted.

        Raises:
            TranscriberBusyError: it would not; says when to come back.
        """
        ...

    @abstractmethod
    def state(self) -> TranscriberState:
        """How busy the transcriber is now."""
        ...
