"""Port of the decoder: a recording as a stream of its speech."""

from abc import abstractmethod
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple, Protocol

from domain.model.result_warnings import ResultWarning
from domain.model.speech import SpeechUnit
from domain.model.transcripts import TranscriptionOptions
from ports.recogniser_port import Slots
from ports.transcriber_port import Progress


class SoundSummary(NamedTuple):
    """Length and warnings of a recording that has been read to its end."""

    duration_seconds: float
    is_audible: bool
    """It has sound, whether there is speech in it or not."""
    warnings: tuple[ResultWarning, ...] = ()


Reading = SpeechUnit | Progress | SoundSummary
"""One step of reading: speech, the sound decoded so far, or the end."""


class SpeechSourcePort(Protocol):
    """Reads recordings, several at the same time, in memory that does not grow with their length."""

    @abstractmethod
    def read(self, recording: Path, options: TranscriptionOptions, /) -> AsyncGenerator[Reading]:
        """Read the chosen voices of a recording, one after another.

        Yields units in the order of their voices and starts, progress from time to time, and last a
        `SoundSummary`. Closing the generator ends the work. It reads ahead by a few units at most.

        Raises:
            RecordingError: the recording is at fault (see its subclasses).
            TranscriptionError: the decoder is at fault.
        """
        ...

    @abstractmethod
    def slots(self) -> Slots:
        """Count the places, and those that are ready."""
        ...
