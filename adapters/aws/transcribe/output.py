"""Output of a job: Amazon's JSON, whose times are texts, as segments of words.

A word and a punctuation mark are items of their own; a mark has no times. Segments end where the speaker
changes, where a sentence ends, and where speech pauses.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from adapters.aws.transcribe.languages import language_of
from domain.model.errors import TranscriptionFailedError
from domain.model.speech import HeardSegment, HeardUnit, HeardWord

PAUSE_SECONDS = 1.0
"""Silence between two words that ends a segment."""

_PUNCTUATION = "punctuation"
_ENDS = frozenset(".?!\u2026\u3002\uff1f\uff01\u0964\u061f\u06d4")
"""Marks at the end of a sentence: Latin, Chinese and Japanese, Indic, Arabic and Urdu."""
_OPENING = frozenset("\u00bf\u00a1(\u00ab\u201c")
"""Marks that belong to the word behind them."""


class _Alternative(BaseModel):
    content: str
    confidence: FiniteFloat | None = None


class _Item(BaseModel):
    type: str
    alternatives: tuple[_Alternative, ...] = Field(min_length=1)
    start_time: FiniteFloat | None = None
    end_time: FiniteFloat | None = None
    speaker_label: str | None = None


class _LabelledItem(BaseModel):
    start_time: FiniteFloat
    speaker_label: str


class _LabelledSegment(BaseModel):
    items: tuple[_LabelledItem, ...] = ()


class _SpeakerLabels(BaseModel):
    segments: tuple[_LabelledSegment, ...] = ()


class _Text(BaseModel):
    transcript: str


class _Identified(BaseModel):
    code: str
    score: FiniteFloat


class _Results(BaseModel):
    items: tuple[_Item, ...]
    transcripts: tuple[_Text, ...] = ()
    speaker_labels: _SpeakerLabels | None = None
    language_code: str | None = None
    language_identification: tuple[_Identified, ...] = ()


class _Output(BaseModel):
    results: _Results


class _Word(NamedTuple):
    start: float  # seconds, as `end`
    end: float
    text: str  # with its punctuation
    confidence: float | None
    speaker: str | None
    ends_sentence: bool = False


def parse_output(content: bytes) -> HeardUnit:
    """Read what a job heard; the result is without segments where it heard nothing.

    Raises:
        TranscriptionFailedError: it is not the JSON of Amazon Transcribe.
    """
    try:
        results = _Output.model_validate_json(content).results
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"])) or "its beginning"
        message = f"Amazon Transcribe: the output of the job cannot be read, at {place}"
        raise TranscriptionFailedError(message) from None
    separator = _separator(results)
    segments = tuple(_segment(words, separator) for words in _cut(_words(results)))
    return HeardUnit(
        segments=segments,
        language=None if results.language_code is None else language_of(results.language_code),
        language_probability=_score(results),
    )


def _score(results: _Results) -> float | None:
    scores = {each.code: each.score for each in results.language_identification}
    score = scores.get(results.language_code or "")
    return None if score is None else min(max(score, 0.0), 1.0)


def _separator(results: _Results) -> str:
    """Return what stands between words: nothing in languages that are written without spaces."""
    text = "".join(each.transcript for each in results.transcripts)
    return "" if text and not any(map(str.isspace, text)) else " "


def _words(results: _Results) -> Iterator[_Word]:
    """Yield the words; a mark joins the word before it, an opening one the word behind it."""
    labels = _labels(results.speaker_labels)
    word: _Word | None = None
    opening = ""
    for item in results.items:
        content = item.alternatives[0].content
        if item.type != _PUNCTUATION:
            if word is not None:
                yield word
            word = _spoken(item, opening, word, labels)
            opening = ""
        elif content in _OPENING:
            opening += content
        elif word is not None:
            ends = word.ends_sentence or content in _ENDS
            word = word._replace(text=word.text + content, ends_sentence=ends)
    if word is not None:
        yield word


def _spoken(item: _Item, opening: str, before: _Word | None, labels: dict[float, str]) -> _Word:
    """Build a word; one without times follows the word before it at once."""
    latest = 0.0 if before is None else before.end
    start = latest if item.start_time is None else item.start_time
    return _Word(
        start=start,
        end=start if item.end_time is None else item.end_time,
        text=opening + item.alternatives[0].content,
        confidence=item.alternatives[0].confidence,
        speaker=item.speaker_label or labels.get(start),
    )


def _labels(speakers: _SpeakerLabels | None) -> dict[float, str]:
    """Map the starts of words to their speakers: older outputs have no labels at their items."""
    segments = () if speakers is None else speakers.segments
    return {item.start_time: item.speaker_label for segment in segments for item in segment.items}


def _cut(words: Iterable[_Word]) -> Iterator[list[_Word]]:
    waiting: list[_Word] = []
    for word in words:
        if waiting and _is_cut(waiting[-1], word):
            yield waiting
            waiting = []
        waiting.append(word)
    if waiting:
        yield waiting


def _is_cut(before: _Word, word: _Word) -> bool:
    is_pause = word.start - before.end >= PAUSE_SECONDS
    return is_pause or before.ends_sentence or before.speaker != word.speaker


def _segment(words: list[_Word], separator: str) -> HeardSegment:
    return HeardSegment(
        start=words[0].start,
        end=words[-1].end,
        text=separator.join(word.text for word in words),
        words=tuple(
            HeardWord(start=word.start, end=word.end, text=word.text, confidence=word.confidence)
            for word in words
        ),
        speaker=words[0].speaker,
    )
