"""Quality: what an engine claims to have heard, held against the speech that is there.

Engines fail in known ways (docs/engines.md): they hear nothing where there is speech, stop in mid-unit,
repeat a phrase without end, or hear the closing words of films in noise.
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from domain.model.speech import (
    CLOSING_PHRASES,
    MAX_PHRASE_WORDS,
    SAMPLE_RATE,
    VOWEL_SIGNS,
    HeardSegment,
    HeardUnit,
    SpeechUnit,
    min_loop_words,
)

MIN_SPEECH_SECONDS = 2.0
"""Speech for which words are expected; shorter speech may be a cough."""
MAX_TAIL_SECONDS = 3.0
"""Speech behind the last word that is tolerated."""
LAST_WORD_SECONDS = 1.0
"""Speech behind the end of the last word that may belong to it: engines end words early."""
MAX_WORDS_PER_SECOND = 6.0
"""Pace that no speaker keeps up; auctioneers reach five."""
_MIN_WORDS_FOR_A_PACE = 10
_SLOW_WORDS_PER_SECOND = 1.0
_LETTERS = rf"[^\W_](?:[^\W_]|[{VOWEL_SIGNS}])*"
_WORD = re.compile(rf"{_LETTERS}(?:['\u2019-]{_LETTERS})*")
_COUNTED = frozenset("zero oh one two three four five six seven eight nine ten".split())  # noqa: SIM905 - a list


class Suspicion(StrEnum):
    """Reason why an engine's words cannot be what was said."""

    NO_TEXT = "no-text"
    TAIL_WITHOUT_TEXT = "tail-without-text"
    LOOP = "loop"
    TOO_FAST = "too-fast"
    CLOSING_PHRASE = "closing-phrase"


def suspicions(unit: SpeechUnit, heard: HeardUnit) -> tuple[Suspicion, ...]:
    """Compare the words of a unit with its speech; the result is empty where they agree."""
    words = words_of(heard.text)
    if not words:
        return (Suspicion.NO_TEXT,) if unit.speech_seconds >= MIN_SPEECH_SECONDS else ()
    return tuple(_contradictions(unit, heard, words))


def _contradictions(unit: SpeechUnit, heard: HeardUnit, words: Sequence[str]) -> Iterator[Suspicion]:
    if has_loop(words):
        yield Suspicion.LOOP
    seconds = max(unit.speech_seconds, 1.0)
    if len(words) >= _MIN_WORDS_FOR_A_PACE and len(words) > MAX_WORDS_PER_SECOND * seconds:
        yield Suspicion.TOO_FAST
    if " ".join(words) in CLOSING_PHRASES and len(words) < _SLOW_WORDS_PER_SECOND * unit.speech_seconds:
        yield Suspicion.CLOSING_PHRASE
    if _speech_behind(unit, heard) > MAX_TAIL_SECONDS:
        yield Suspicion.TAIL_WITHOUT_TEXT


def words_of(text: str) -> list[str]:
    """Split a text into words, in lower case and without punctuation."""
    return [word.casefold() for word in _WORD.findall(text)]


def has_loop(words: Sequence[str]) -> bool:
    """Check for a phrase that is repeated in a row for at least `min_loop_words`."""
    return any(_has_loop_of(words, length) for length in range(1, MAX_PHRASE_WORDS + 1))


def _has_loop_of(words: Sequence[str], length: int) -> bool:
    """Check for a loop of phrases of one length: many words in a row equal those one phrase earlier."""
    equal = 0
    for place, (earlier, later) in enumerate(zip(words, words[length:], strict=False), start=1):
        equal = equal + 1 if earlier == later else 0
        if equal >= min_loop_words(length) - length and not is_counted(words[place - length : place]):
            return True
    return False


def is_counted(phrase: Sequence[str]) -> bool:
    """Tell what people spell and count, however often: single letters, and phrases with a number."""
    return all(len(word) == 1 for word in phrase) or any(
        word.isdigit() or word in _COUNTED for word in phrase
    )


def covered_seconds(unit: SpeechUnit, heard: HeardUnit) -> float:
    """Measure the speech of a unit up to a second behind its last word; none without words."""
    if not heard.text.strip():
        return 0.0
    return unit.speech_seconds - _speech_behind(unit, heard, tolerance=LAST_WORD_SECONDS)


def _speech_behind(unit: SpeechUnit, heard: HeardUnit, *, tolerance: float = 0.0) -> float:
    last = max((_end(segment) for segment in heard.segments if segment.text.strip()), default=0.0) + tolerance
    return sum(max(end - max(start, last * SAMPLE_RATE), 0.0) for start, end in unit.speech) / SAMPLE_RATE


def _end(segment: HeardSegment) -> float:
    return max((word.end for word in segment.words), default=segment.end)
