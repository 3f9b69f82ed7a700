"""Engine with canned text, for delivery demos and load tests, where the words do not matter."""

from collections.abc import Iterable, Iterator
from itertools import cycle

from adapters.speech.engines.engine import SpeechEngine
from adapters.speech.sound.blocks import BYTES_PER_SAMPLE, SAMPLE_RATE
from domain.model.transcripts import Segment

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
    """Fills the length of a recording with canned sentences; it is decoded, with all errors and limits."""

    def recognise(self, sound: Iterable[bytes], /) -> Iterator[Segment]:
        """Measure the sound, and fill its length with `SENTENCES`."""
        yield from _spoken(sum(map(len, sound)) / BYTES_PER_SAMPLE / SAMPLE_RATE)


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
