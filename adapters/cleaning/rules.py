"""Cleaning by rules: deterministic, without a model."""

import asyncio
from collections.abc import Iterator

from adapters.cleaning.disfluencies import without_repeats
from adapters.cleaning.loops import without_loops
from adapters.cleaning.noise import spoken_words
from adapters.cleaning.sentences import TimedWords, with_capitals, with_stops
from adapters.cleaning.words import ends_sentence, key
from domain.model.speech import CLOSING_PHRASES
from domain.model.transcripts import Segment, Transcript
from ports.cleaner_port import CleanedTranscript, CleanerPort

NAME = "rules"
"""As in the setting CLEANER."""

SENTENCE_PAUSE_SECONDS = 0.4
"""Silence after which a new sentence begins.

In measured recordings, 0.5 s or more lie between sentences, and at most 0.2 s between the segments of one.
"""


class RulesCleaner(CleanerPort):
    """Removes disfluencies and loops, and adds punctuation where the engine writes none (docs/cleaning.md).

    Stateless; takes time in proportion to the text. The engine's own punctuation and capitals stay.
    """

    def __init__(self, *, sentence_pause_seconds: float = SENTENCE_PAUSE_SECONDS) -> None:
        self._sentence_pause_seconds = sentence_pause_seconds

    async def clean(self, transcript: Transcript, /) -> CleanedTranscript:
        """Clean in a thread: hours of speech take a while."""
        return CleanedTranscript(await asyncio.to_thread(self.readable_text, transcript), NAME)

    def readable_text(self, transcript: Transcript) -> str:
        """Return the readable text of a transcript; empty only where the recording has nothing but noise."""
        utterances = list(_utterances(transcript, self._sentence_pause_seconds))
        line = [word for utterance in utterances for word in utterance.words]
        is_punctuated = any(map(ends_sentence, line))
        if not is_punctuated:
            line = with_stops(utterances, self._sentence_pause_seconds)
        words = _without_repeats(line)
        is_written = is_punctuated and any(word != word.lower() for word in words)
        return " ".join(with_capitals(words, is_written=is_written))


def _without_repeats(words: list[str]) -> list[str]:
    """Remove loops and repeats, until none is left: what stands between two may have kept them apart."""
    while (shorter := without_repeats(without_loops(words))) != words:
        words = shorter
    return words


def _utterances(transcript: Transcript, sentence_pause_seconds: float) -> Iterator[TimedWords]:
    """Yield the words of each segment that has any, and the longest silence before them.

    Another channel or track is another speaker, who begins a sentence at any moment.
    """
    language = transcript.provenance.language if transcript.provenance else None
    spoken = spoken_words([segment.text for segment in transcript.segments], language)
    pause, end, voice = 0.0, 0.0, None
    for segment, words in zip(transcript.segments, spoken, strict=True):
        pause, end = max(pause, round(segment.start - end, 3)), segment.end  # to the millisecond
        if voice not in {None, (segment.track, segment.channel)}:
            pause = max(pause, sentence_pause_seconds)
        voice = (segment.track, segment.channel)
        if words and not _is_invented(segment, words):
            yield TimedWords(pause, words)
            pause = 0.0


def _is_invented(segment: Segment, words: list[str]) -> bool:
    """Check for the closing words of films, which Whisper hears in noise, in a segment that is doubtful."""
    return segment.is_doubtful and " ".join(map(key, words)) in CLOSING_PHRASES
