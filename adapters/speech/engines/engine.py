"""The speech engines by name. They are plain and synchronous; the worker processes run them."""

from abc import abstractmethod
from pathlib import Path
from typing import Protocol

from adapters.speech.decoding.limits import DecodingLimits
from domain.model.errors import ConfigurationError
from domain.model.transcripts import Transcript
from ports.transcriber_port import ProgressListener

ENGINES = ("pocketsphinx", "canned")
"""What `load_engine` knows."""


class SpeechEngine(Protocol):
    """Turns one recording after another into transcripts, in the calling thread.

    The same recording gives the same transcript, whatever came before it.
    """

    @abstractmethod
    def transcribe(
        self, recording: Path, limits: DecodingLimits, on_progress: ProgressListener, /
    ) -> Transcript:
        """Transcribe the first sound track of `recording`.

        Args:
            recording: the file, told by its content.
            limits: how much sound is accepted.
            on_progress: called at least every few seconds of work; the last call says that all is done.

        Raises:
            RecordingError: the recording is at fault (see its subclasses).
        """
        ...


def load_engine(name: str) -> SpeechEngine:
    """Load one of `ENGINES`, its libraries and its model.

    Raises:
        ConfigurationError: there is no engine of that name.
    """
    match name:
        case "pocketsphinx":
            from adapters.speech.engines.pocketsphinx import PocketsphinxEngine  # noqa: PLC0415 - half a second and 100 MB

            return PocketsphinxEngine()
        case "canned":
            from adapters.speech.engines.canned import CannedEngine  # noqa: PLC0415 - brings FFmpeg

            return CannedEngine()
    raise ConfigurationError(f"TRANSCRIBER is {name!r}; it may be {' or '.join(ENGINES)}.")
