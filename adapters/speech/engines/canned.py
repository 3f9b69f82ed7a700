"""Engine with canned text, for delivery demos and load tests, where the words do not matter."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.speech.decoding.decoder import BYTES_PER_SAMPLE, SAMPLE_RATE, decode
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.engines.engine import SpeechEngine
from domain.model.transcripts import Segment, Transcript
from ports.transcriber_port import Progress, ProgressListener

if TYPE_CHECKING:
    from domain.model.result_warnings import ResultWarning

WORDS_PER_SECOND = 2.5
"""Pace of the canned speech."""

PAUSE_SECONDS = 0.8
"""Silence after each sentence."""

SENTENCES = (
    "thank you for calling um how can i help you today",
    "i would like to know when my order is going to arrive",
    "let me have a look it left the the warehouse this morning",
    "so you should have it by tomorrow afternoon at the latest",
    "uh that is good news thank you very much",
    "is there anything else that i can do for you",
    "no that was all have a nice day",
)
"""Sentences of the transcript, repeated to its end."""


class CannedEngine(SpeechEngine):
    """Decodes a recording, with all errors and limits, and fills its length with canned sentences."""

    def transcribe(
        self, recording: Path, limits: DecodingLimits, on_progress: ProgressListener, /
    ) -> Transcript:
        """Measure the recording by decoding it, and fill its length with `SENTENCES`."""
        warnings: list[ResultWarning] = []
        size = sum(map(len, decode(recording, limits, on_progress, warnings.append)))
        seconds = size / BYTES_PER_SAMPLE / SAMPLE_RATE
        on_progress(Progress(seconds, seconds))
        return Transcript(
            duration_seconds=seconds, segments=tuple(_spoken(seconds)), warnings=tuple(warnings)
        )


def _spoken(seconds: float) -> Iterator[Segment]:
    """Yield the sentences in turn; the last one breaks off where the recording ends."""
    start = 0.0
    for sentence in cycle(SENTENCES):
        words = sentence.split()[: max(int((seconds - start) * WORDS_PER_SECOND), 0)]
        if not words:
            return
        end = round(start + len(words) / WORDS_PER_SECOND, 1)
        yield Segment(start=start, end=end, text=" ".join(words))
        start = round(end + PAUSE_SECONDS, 1)
