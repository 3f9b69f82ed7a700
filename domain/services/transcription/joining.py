"""Joining: what an engine heard in one unit becomes segments of the recording."""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from domain.model.speech import HeardSegment, HeardUnit, HeardWord
from domain.model.transcripts import Segment, Word


class Stretch(Protocol):
    """Sound with a place in its recording: a unit, or a whole voice."""

    @property
    def start_seconds(self) -> float:
        """Moment of the recording at which it starts."""
        ...

    @property
    def seconds(self) -> float:
        """Length."""
        ...

    @property
    def track(self) -> int | None:
        """Number of its track, from 1; None where the caller did not ask for it."""
        ...

    @property
    def channel(self) -> int | None:
        """Number of its channel, likewise."""
        ...


class _Span(NamedTuple):
    start: float  # seconds from the beginning of the recording, as `end`
    end: float


def segments_of(unit: Stretch, heard: HeardUnit, *, is_doubtful: bool = False) -> Iterator[Segment]:
    """Shift an engine's times to the recording; segments without words are dropped.

    Engines give times beyond the sound, ends before starts, and overlaps: the times are clamped to the unit,
    rounded to the millisecond and made to rise.
    """
    spoken = [segment for segment in heard.segments if segment.text.strip()]
    limits = _limits(unit)
    for segment, span in zip(spoken, _rising(spoken, unit.start_seconds, limits), strict=True):
        yield Segment(
            start=span.start,
            end=span.end,
            text=_line(segment.text),
            words=tuple(_words(segment, unit.start_seconds, span)),
            speaker=segment.speaker,
            track=unit.track,
            channel=unit.channel,
            is_doubtful=is_doubtful,
        )


def _limits(stretch: Stretch) -> _Span:
    """Return the span in whole milliseconds; the last one begins within the sound."""
    end = math.floor(round((stretch.start_seconds + stretch.seconds) * 1000, 6)) / 1000
    return _Span(min(round(stretch.start_seconds, 3), end), end)


def _words(segment: HeardSegment, offset: float, within: _Span) -> Iterator[Word]:
    spoken = [word for word in segment.words if word.text.strip()]
    for word, span in zip(spoken, _rising(spoken, offset, within), strict=True):
        sure = None if word.confidence is None else round(min(max(word.confidence, 0.0), 1.0), 3)
        yield Word(start=span.start, end=span.end, text=_line(word.text), confidence=sure)


def _rising(timed: Iterable[HeardSegment | HeardWord], offset: float, within: _Span) -> Iterator[_Span]:
    """Yield spans that follow each other without overlap, within limits."""
    latest = within.start
    for each in timed:
        start = _clamped(each.start + offset, latest, within.end)
        end = _clamped(each.end + offset, start, within.end)
        yield _Span(round(start, 3), round(end, 3))
        latest = end


def _clamped(moment: float, lowest: float, highest: float) -> float:
    return min(max(moment, lowest), highest)


def _line(text: str) -> str:
    return " ".join(text.split())
