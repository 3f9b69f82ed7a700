"""Words of a text, with their places in it."""

import re
from typing import NamedTuple

_SCRIPTS_WITHOUT_SPACES = "\u3000-\u9fff\uac00-\ud7af"
_WORDS = re.compile(f"[{_SCRIPTS_WITHOUT_SPACES}]+|[^\\s{_SCRIPTS_WITHOUT_SPACES}]+")
_MARKS = ".,;:!?…\"'“”‘’«»*¿¡"  # noqa: RUF001 - quotes of all shapes
_BRACKETS = "<>[]{}"
_TAG = re.compile(r"\[[\w-]{1,32}\]|<[\w|/-]{1,32}>")


class WrittenWord(NamedTuple):
    """A word without the punctuation at its edges; one of punctuation alone is its own text.

    Tags keep their brackets: "[NOISE]", "[CARD]", "<sil>".
    """

    start: int  # place of its first character, as `end`
    end: int
    text: str
    whole: str  # with its punctuation


def words_of(text: str) -> list[WrittenWord]:
    """Split a text at its spaces, and where a script without spaces meets another one."""
    return [_word(match.start(), match[0]) for match in _WORDS.finditer(text)]


def _word(start: int, whole: str) -> WrittenWord:
    text = whole.strip(_MARKS) or whole
    if not _TAG.fullmatch(text):
        text = text.strip(_MARKS + _BRACKETS) or text
    if text.count("(") != text.count(")"):
        text = text.strip("()") or text
    start += whole.find(text)
    return WrittenWord(start, start + len(text), text, whole)
