"""Tokens: the text of a segment in pieces that stay together, each with its time."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from domain.model.transcripts import Segment, Word

LINE_LENGTH = 42
"""Characters of a line; no token is longer."""

_CONTROL_CHARACTERS = dict.fromkeys(
    code for code in (*range(0x20), *range(0x7F, 0xA0)) if not chr(code).isspace()
)
_MARKS = "。！？、，；,;.!?"  # noqa: RUF001 - those of languages that are written without spaces


class Token(NamedTuple):
    """A word with its punctuation."""

    text: str
    gap: str  # what separates it from the token before: a space, or nothing
    start: int  # milliseconds from the beginning of the recording, as `end`
    end: int


def tokens_of(segment: Segment) -> Iterator[Token]:
    """Cut a segment into tokens, with the times of its words, else with estimates from its length.

    Engines name words with and without the punctuation of the text, and sometimes not all of them: so words
    and text are matched by the number of letters before them.
    """
    pieces = list(pieces_of(segment.text))
    clock = _Clock(segment.words or (segment,), sum(_letters(text) for _, text in pieces))
    letters = 0
    for gap, text in pieces:
        start = clock.start_of(letters)
        letters += _letters(text)
        yield Token(text, gap, start, max(start, clock.end_of(letters)))


def pieces_of(text: str) -> Iterator[tuple[str, str]]:
    """Split a text at its spaces, and longer pieces where they may be cut: pairs of gap and piece."""
    gap = " "
    for word in text.translate(_CONTROL_CHARACTERS).split():
        rest = word
        while len(rest) > LINE_LENGTH:
            cut = 1 + max(rest.rfind(mark, 0, LINE_LENGTH) for mark in _MARKS) or LINE_LENGTH
            yield gap, rest[:cut]
            gap, rest = "", rest[cut:]
        yield gap, rest
        gap = " "


def milliseconds(seconds: float) -> int:
    """Round to whole milliseconds."""
    return round(seconds * 1000)


class _Clock:
    """Times of the letters of a text that consists of timed parts."""

    def __init__(self, parts: tuple[Word | Segment, ...], letters: int) -> None:
        self._parts = parts
        self._lengths = [_letters(part.text) for part in parts]
        self._ends = list(accumulate(self._lengths))
        self._scale = self._ends[-1] / letters if letters else 0.0

    def start_of(self, letters: int) -> int:
        """Return the moment at which so many letters have been spoken, and the next one begins."""
        spoken = letters * self._scale
        return self._moment(bisect_right(self._ends, spoken), spoken, in_no_letters=0.0)

    def end_of(self, letters: int) -> int:
        """Return the moment at which the last of so many letters ends."""
        spoken = letters * self._scale
        return self._moment(bisect_left(self._ends, spoken), spoken, in_no_letters=1.0)

    def _moment(self, number: int, spoken: float, *, in_no_letters: float) -> int:
        number = min(number, len(self._parts) - 1)
        part, length = self._parts[number], self._lengths[number]
        share = 1 - (self._ends[number] - spoken) / length if length else in_no_letters
        return milliseconds(part.start + (part.end - part.start) * min(max(share, 0.0), 1.0))


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))
