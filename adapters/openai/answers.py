"""Answers of transcription servers, read with tolerance: each server spells and omits other things."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from adapters.openai.languages import code_of
from domain.model.speech import SAMPLE_RATE, HeardSegment, HeardUnit, HeardWord, SpeechUnit


class _Entry(BaseModel):
    """Segment or word; numbers may be strings, and all other fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    start: FiniteFloat
    end: FiniteFloat


class _Segment(_Entry):
    text: str
    words: object = None


class _Word(_Entry):
    text: str = Field(validation_alias=AliasChoices("word", "text"))
    confidence: FiniteFloat | None = Field(None, validation_alias=AliasChoices("probability", "confidence"))

    @property
    def middle(self) -> float:
        """Return the moment by which the word is given to a segment."""
        return (self.start + self.end) / 2

    @property
    def heard(self) -> HeardWord:
        """Return the word in the terms of the domain."""
        return HeardWord(start=self.start, end=self.end, text=self.text.strip(), confidence=self.confidence)


Timed = TypeVar("Timed", bound=_Entry)


def heard_in(answer: object, unit: SpeechUnit) -> HeardUnit | None:
    """Read what was heard in a unit; None where the answer holds no text, not even an empty one.

    Where there are no segments, or fewer words in them than in the whole text, the text becomes one segment
    over the unit's speech: servers lose words from segments.
    """
    if not isinstance(answer, Mapping):
        return None
    segments, words = _entries(_Segment, answer.get("segments")), _entries(_Word, answer.get("words"))
    text = answer.get("text")
    if not isinstance(text, str):
        if not segments:
            return None
        text = ""
    text = text.encode("utf-8", "ignore").decode()  # JSON can hold halves of characters
    if _count(text) > sum(_count(segment.text) for segment in segments):
        heard: Iterable[HeardSegment] = [_over_the_speech(text, words, unit)]
    else:
        heard = _with_words(segments, words)
    return HeardUnit(segments=tuple(heard), language=_language(answer))


def _entries(kind: type[Timed], entries: object) -> list[Timed]:
    """Read a list, or none; an entry that lacks text or times is dropped."""
    return list(_valid(kind, entries)) if isinstance(entries, list) else []


def _valid(kind: type[Timed], entries: Iterable[object]) -> Iterator[Timed]:
    for entry in entries:
        try:
            yield kind.model_validate(entry)
        except ValidationError:
            continue


def _count(text: str) -> int:
    return len(text.split())


def _over_the_speech(text: str, words: list[_Word], unit: SpeechUnit) -> HeardSegment:
    """Give the whole text to the whole speech, with the words only where none is missing."""
    start, end = (unit.speech[0][0], unit.speech[-1][1]) if unit.speech else (0, unit.seconds * SAMPLE_RATE)
    is_complete = len(words) >= _count(text)
    return HeardSegment(
        start=start / SAMPLE_RATE,
        end=end / SAMPLE_RATE,
        text=text.strip(),
        words=tuple(word.heard for word in words) if is_complete else (),
    )


def _with_words(segments: list[_Segment], words: list[_Word]) -> Iterator[HeardSegment]:
    """Give each word to the segment in whose time it lies, where segments have no words of their own."""
    waiting = sorted(words, key=lambda word: word.start)
    for segment in segments:
        is_last = segment is segments[-1]
        before = takewhile(lambda word: is_last or word.middle <= segment.end, waiting)  # noqa: B023 - used at once
        inside = list(before)
        waiting = waiting[len(inside) :]
        own = _entries(_Word, segment.words) or inside
        yield HeardSegment(
            start=segment.start,
            end=segment.end,
            text=segment.text.strip(),
            words=tuple(word.heard for word in own),
        )


def _language(answer: Mapping[str, object]) -> str | None:
    """Return the language, or the first of several; None where the server could not tell."""
    languages = answer.get("languages")
    first = languages[0] if isinstance(languages, list) and languages else answer.get("language")
    if isinstance(first, Mapping):
        first = first.get("code")
    return code_of(first) if isinstance(first, str) else None
