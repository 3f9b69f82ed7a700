"""Speech on its way to an engine, and what an engine heard in it."""

from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, FiniteFloat

SAMPLE_RATE = 16_000
"""Sample rate of all speech, in hertz."""
BYTES_PER_SAMPLE = 2
"""Size of a sample: signed, 16 bits, little-endian, one channel."""
VOWEL_SIGNS = (
    "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u1000-\u109f\u1780-\u17d3"
)
"""Ranges of a pattern for signs within words: accents, and vowels of Arabic, Indic and other scripts.

Python's pattern for letters has none of them.
"""
SPEECH_THRESHOLD = 0.5
"""Probability from which sound counts as speech, where the setting does not say otherwise."""
MAX_UNIT_SECONDS = 30.0
"""Length of the longest unit: the window of Whisper, which reads no more at once."""

CLOSING_PHRASES = frozenset(
    {
        "you",
        "bye",
        "bye bye",
        "thank you",
        "thank you very much",
        "thank you for watching",
        "thanks for watching",
        "please subscribe",
        "music",
        "subtitles by the amara org community",
        "transcribed by https otter ai",
    }
)
"""What Whisper hears in noise and music: the last words of the films that it learnt from."""

MIN_REPETITIONS = 4
"""Times that a phrase in a row makes a loop."""
MIN_LOOP_WORDS = 8
"""Fewest words of a loop; people do say "no no no no"."""
MAX_PHRASE_WORDS = 12
"""Longest phrase of which a loop is recognised."""


def min_loop_words(length: int) -> int:
    """Return the fewest words that make a loop of a phrase with so many words."""
    return max(length * MIN_REPETITIONS, MIN_LOOP_WORDS)


@dataclass(frozen=True, slots=True)
class SpeechUnit:
    """A stretch of one voice that holds speech, cut where it pauses. Units of a voice do not overlap."""

    start: int  # first sample, counted from the beginning of the recording
    samples: bytes = field(repr=False)
    # speech within the unit: pairs of first sample and sample behind the last, counted from its beginning
    speech: tuple[tuple[int, int], ...]
    track: int | None = None  # number of its track, from 1; None where the caller did not ask for it
    channel: int | None = None  # number of its channel, likewise

    @property
    def start_seconds(self) -> float:
        """Return the moment of the recording at which the unit starts."""
        return self.start / SAMPLE_RATE

    @property
    def seconds(self) -> float:
        """Return the length."""
        return len(self.samples) / BYTES_PER_SAMPLE / SAMPLE_RATE

    @property
    def speech_seconds(self) -> float:
        """Return the length of the speech within the unit."""
        return sum(end - start for start, end in self.speech) / SAMPLE_RATE


class _Heard(BaseModel):
    """Times are in seconds from the start of the unit; they may be wrong, as engines' times are."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    start: FiniteFloat
    end: FiniteFloat
    text: str


class HeardWord(_Heard):
    """A word, as an engine claims to have heard it."""

    confidence: FiniteFloat | None = None


class HeardSegment(_Heard):
    """Some words, as an engine claims to have heard them."""

    words: tuple[HeardWord, ...] = ()
    speaker: str | None = None


class HeardUnit(BaseModel):
    """An engine's answer for one unit; nothing of it is certain."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    segments: tuple[HeardSegment, ...] = ()
    language: str | None = None
    language_probability: FiniteFloat | None = None

    @property
    def text(self) -> str:
        """Return all words."""
        return " ".join(segment.text for segment in self.segments)
