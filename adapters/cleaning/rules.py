"""Cleaning by rules: deterministic, without a model."""

from collections.abc import Iterator

from adapters.cleaning.disfluencies import without_repeats
from adapters.cleaning.noise import spoken_words
from adapters.cleaning.sentences import TimedWords, with_capitals, with_stops
from adapters.cleaning.words import ends_sentence
from domain.model.transcripts import Transcript
from ports.cleaner_port import CleanerPort

SENTENCE_PAUSE_SECONDS = 0.4
"""Silence after which a new sentence begins.

In measured recordings, 0.5 s or more lie between sentences, and at most 0.2 s between the segments of one.
"""


class RulesCleaner(CleanerPort):
    """Removes disfluencies from US English and adds missing punctuation (docs/cleaning.md).

    Stateless; takes time in proportion to the text.
    """

    def __init__(self, *, sentence_pause_seconds: float = SENTENCE_PAUSE_SECONDS) -> None:
        self._sentence_pause_seconds = sentence_pause_seconds

    def clean(self, transcript: Transcript, /) -> str:
        """Return the readable text of a transcript; empty only where the recording has nothing but noise."""
        utterances = list(_utterances(transcript, self._sentence_pause_seconds))
        line = [word for utterance in utterances for word in utterance.words]
        is_punctuated = any(map(ends_sentence, line))
        if not is_punctuated:
            line = with_stops(utterances, self._sentence_pause_seconds)
        words = without_repeats(line)
        is_written = is_punctuated and any(word != word.lower() for word in words)
        return " ".join(with_capitals(words, is_written=is_written))


def _utterances(transcript: Transcript, sentence_pause_seconds: float) -> Iterator[TimedWords]:
    """Yield the words of each segment that has any, and the longest silence before them.

    Another channel or track is another speaker, who begins a sentence at any moment.
    """
    pause, end, voice = 0.0, 0.0, None
    for segment in transcript.segments:
        pause, end = max(pause, round(segment.start - end, 3)), segment.end  # to the millisecond
        if voice not in {None, (segment.track, segment.channel)}:
            pause = max(pause, sentence_pause_seconds)
        voice = (segment.track, segment.channel)
        words = spoken_words(segment.text)
        if words:
            yield TimedWords(pause, words)
            pause = 0.0
