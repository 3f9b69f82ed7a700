"""Cleaning by rules: the same answer every time, nothing learnt and nothing guessed."""

from collections.abc import Iterator

from adapters.cleaning.disfluencies import without_repeats
from adapters.cleaning.noise import spoken_words
from adapters.cleaning.sentences import Utterance, with_capitals, with_stops
from adapters.cleaning.words import ends_sentence
from domain.model.transcripts import Transcript
from ports.cleaner_port import CleanerPort

SENTENCE_PAUSE_SECONDS = 0.4
"""Silence after which a new sentence begins.

In measured recordings, 0.5 s or more lie between sentences, and at most 0.2 s between the segments of one.
"""


class RulesCleaner(CleanerPort):
    """Drops what was not meant and punctuates what the engine did not (docs/cleaning.md).

    For US English. Keeps no state, and takes time in proportion to the text.
    """

    def __init__(self, *, sentence_pause_seconds: float = SENTENCE_PAUSE_SECONDS) -> None:
        self._sentence_pause_seconds = sentence_pause_seconds

    def clean(self, transcript: Transcript, /) -> str:
        """The readable text of a transcript; empty only where nothing but noise was heard."""
        utterances = list(_utterances(transcript))
        line = [word for utterance in utterances for word in utterance.words]
        is_punctuated = any(map(ends_sentence, line))
        if not is_punctuated:
            line = with_stops(utterances, self._sentence_pause_seconds)
        words = without_repeats(line)
        is_written = is_punctuated and any(map(_has_capital, words))
        return " ".join(with_capitals(words, is_written=is_written))


def _utterances(transcript: Transcript) -> Iterator[Utterance]:
    """The words of every segment that has any, and the longest silence since the segment before."""
    pause, end = 0.0, 0.0
    for segment in transcript.segments:
        pause, end = max(pause, round(segment.start - end, 3)), segment.end  # to the millisecond
        words = spoken_words(segment.text)
        if words:
            yield Utterance(pause, words)
            pause = 0.0


def _has_capital(word: str) -> bool:
    return word != word.lower()
