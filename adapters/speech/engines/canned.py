"""Engine with canned text, for delivery demos and load tests, where the words do not matter."""

from collections.abc import Iterator
from itertools import cycle

from adapters.speech.engines.engine import SpeechEngine
from domain.model.engines import EngineDescription
from domain.model.speech import BYTES_PER_SAMPLE, SAMPLE_RATE, HeardSegment, HeardUnit
from ports.recogniser_port import Hints

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
    """Fills the length of each unit with canned sentences."""

    @property
    def description(self) -> EngineDescription:
        """Description: every language and vocabulary is accepted, and none is regarded."""
        return EngineDescription(name="canned", model="sentences", takes_vocabulary=True)

    def recognise(self, samples: bytes, _: Hints, /, *, again: bool = False) -> HeardUnit:  # noqa: ARG002 - it never errs
        """Measure the sound, and fill its length with `SENTENCES`."""
        return HeardUnit(segments=tuple(_spoken(len(samples) / BYTES_PER_SAMPLE / SAMPLE_RATE)))


def _spoken(seconds: float) -> Iterator[HeardSegment]:
    """Yield the sentences in turn; the last one breaks off where the unit ends."""
    start = 0.0
    for sentence in cycle(SENTENCES):
        words = sentence.split()[: max(int((seconds - start) * WORDS_PER_SECOND), 0)]
        if not words:
            return
        end = round(start + len(words) / WORDS_PER_SECOND, 1)
        yield HeardSegment(start=start, end=end, text=" ".join(words))
        start = round(end + PAUSE_SECONDS, 1)
