"""An engine that does not listen: for delivery demos and load tests, where the words do not matter."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from adapters.speech.decoding.decoder import BYTES_PER_SAMPLE, SAMPLE_RATE, decode
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.engines.engine import SpeechEngine
from domain.model.transcripts import Segment, Transcript
from ports.transcriber_port import Progress, ProgressListener

WORDS_PER_SECOND = 2.5
"""How fast the canned voice speaks."""

PAUSE_SECONDS = 0.8
"""The silence after each sentence."""

SENTENCES = (
    "thank you for calling um how can i help you today",
    "i would like to know when my order is going to arrive",
    "let me have a look it left the the warehouse this morning",
    "so you should have it by tomorrow afternoon at the latest",
    "uh that is good news thank you very much",
    "is there anything else that i can do for you",
    "no that was all have a nice day",
)
"""What it says, over and over."""


class CannedEngine(SpeechEngine):
    """Decodes a recording in earnest, errors and limits included, then says the same as ever, for as long."""

    def transcribe(
        self, recording: Path, limits: DecodingLimits, on_progress: ProgressListener, /
    ) -> Transcript:
        """Find out how long the recording is, and fill it with `SENTENCES`."""
        size = sum(map(len, decode(recording, limits, on_progress)))
        seconds = size / BYTES_PER_SAMPLE / SAMPLE_RATE
        on_progress(Progress(seconds, seconds))
        return Transcript(duration_seconds=seconds, segments=tuple(_spoken(seconds)))


def _spoken(seconds: float) -> Iterator[Segment]:
    """One sentence after the other; the last one breaks off where the recording ends."""
    start = 0.0
    for sentence in cycle(SENTENCES):
        words = sentence.split()[: max(int((seconds - start) * WORDS_PER_SECOND), 0)]
        if not words:
            return
        end = round(start + len(words) / WORDS_PER_SECOND, 1)
        yield Segment(start=start, end=end, text=" ".join(words))
        start = round(end + PAUSE_SECONDS, 1)
