"""Alignment: the places of a segment's words in its text."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol


class Timed(Protocol):
    """Word with a text."""

    @property
    def text(self) -> str:
        """Return the text, with or without punctuation."""
        ...


class Place(NamedTuple):
    """Characters of a text that a word stands for."""

    start: int  # its first letter or digit; of a word without any, its first sign
    end: int  # behind its last one


def places_of(words: Sequence[Timed], text: str) -> list[Place] | None:
    """Find each word in the text, by the letters and digits before it; None where they are others.

    Engines name words with and without the punctuation of the text, and cut "555-1234" in two.
    """
    letters = [place for place, character in enumerate(text) if character.isalnum()]
    spoken = ["".join(filter(str.isalnum, word.text)) for word in words]
    if "".join(spoken) != "".join(text[place] for place in letters):
        return None
    return list(_places(words, text, [*letters, len(text)]))


def _places(words: Sequence[Timed], text: str, letters: Sequence[int]) -> Iterator[Place]:
    number = end = 0  # letters before the word, and where the word before it ends
    for word in words:
        if size := sum(map(str.isalnum, word.text)):
            start, end = letters[number], letters[number + size - 1] + 1
            number += size
        else:
            sign = word.text.strip()
            found = text.find(sign, end, letters[number])
            start, end = (letters[number],) * 2 if found < 0 else (found, found + len(sign))
        yield Place(start, end)
