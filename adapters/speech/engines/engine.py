"""Protocol of speech engines: plain and synchronous, as the worker processes run them."""

from abc import abstractmethod
from pathlib import Path
from typing import Protocol

from adapters.speech.decoding.limits import DecodingLimits
from domain.model.transcripts import Transcript
from ports.transcriber_port import ProgressListener


class SpeechEngine(Protocol):
    """Transcribes one recording at a time, in the calling thread.

    The same recording gives the same transcript, independent of earlier ones.
    """

    @abstractmethod
    def transcribe(
        self, recording: Path, limits: DecodingLimits, on_progress: ProgressListener, /
    ) -> Transcript:
        """Transcribe the first sound track of `recording`, recognised by its content.

        Progress is reported at least every few seconds of work; the last call reports completion.

        Raises:
            RecordingError: the recording is at fault (see its subclasses).
        """
        ...
