"""Guard: what a language model made of a segment, held against the words that were heard.

A model answers questions, obeys what it reads, invents examples, thinks aloud, or returns half. None of that
passes: a readable text has the words that were heard, in their order, without hesitations and repetitions.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from domain.model.speech import VOWEL_SIGNS

MAX_PHRASE_WORDS = 12
"""Longest phrase that may be said once instead of several times in a row."""

_LETTERS = rf"[^\W_](?:[^\W_]|[{VOWEL_SIGNS}])*"
_WORD = re.compile(
    r"[぀-ヿ㐀-鿿가-힣฀-๿]"  # scripts without spaces, and Korean: each sign by itself
    rf"|{_LETTERS}(?:['’`]{_LETTERS})*(?:-(?![^\W_]))?"  # noqa: RUF001 - both apostrophes
)
_MARKER = r"you know|i mean|well|like|so|okay|ok|actually|basically|anyway|kind of|sort of"
_MARKERS = re.compile(rf"(?:(?<=[.!?,;:…])|^)\s*({_MARKER}),", re.IGNORECASE)
"""Words that hold the floor, set off by punctuation: "Well, it is, you know, late"."""
_HESITATION = re.compile(r"u+h+m*|e+r+m+|h+m+|m{2,}|m+h+m+|ä+h+m*|ö+h+m+|e+uh+|e+h+m+")
_ENGLISH_HESITATION = re.compile(r"u+m+|er")
"""Words in German: "at" and "he"."""
_SENTENCE_END = re.compile(r"[.!?…。！？]\W*$")  # noqa: RUF001 - of other scripts
_NUMBER_WORDS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million
    billion first second third fourth fifth sixth seventh eighth ninth tenth
"""
_FIGURE = re.compile(r"(?<!\w)-?\d+(?:[.,:]\d+)*")
_SIGNS = frozenset("%‰°§&@+=/")
_NUMBERS = frozenset(_NUMBER_WORDS.split())
_MARKS = frozenset(" .,;:!?…'\"-–—()’‘“”„«»¿¡。，、！？「」")  # noqa: RUF001 - of other scripts
"""Marks that a model may add; all others, such as those of Markdown, were not spoken."""


class Fault(StrEnum):
    """Reason why a model's text is not used."""

    EMPTY = "empty"
    NEW_WORDS = "new-words"
    NEW_MARKS = "new-marks"
    LOST_WORDS = "lost-words"
    LOST_NUMBER = "lost-number"
    LOST_NAME = "lost-name"


class _Word(NamedTuple):
    spelt: str
    key: str
    may_go: bool  # a hesitation, a fragment, or a marker of speech
    is_name: bool  # has a capital within a sentence


def fault_of(raw: str, readable: str, language: str | None = None) -> Fault | None:
    """Check that a text has the words of the raw one; None where it can be used.

    `language` is a code; None counts as English.
    """
    heard, written = _words(raw, language), _words(readable, language)
    if not written:
        return Fault.EMPTY
    if set(readable) - set(raw) - _MARKS - set("".join(word.spelt for word in written)):
        return Fault.NEW_MARKS
    if _figures(raw) - _figures(readable):
        return Fault.LOST_NUMBER
    pairs = _aligned(heard, written)
    if pairs is None:
        return Fault.NEW_WORDS
    if any(word.is_name and kept is not None and kept.spelt[0].islower() for word, kept in pairs):
        return Fault.LOST_NAME
    return next(_losses([(word, kept is not None) for word, kept in pairs]), None)


def _figures(text: str) -> set[str]:
    """Find numbers with their signs and decimals, and the signs beside words: "-5", "3.50", "%", "$"."""
    signs = {sign for sign in text if sign in _SIGNS or unicodedata.category(sign) == "Sc"}
    return signs | set(_FIGURE.findall(text))


def _words(text: str, language: str | None) -> list[_Word]:
    optional = {place for found in _MARKERS.finditer(text) for place in range(*found.span(1))}
    has_case = text.upper() != text
    words: list[_Word] = []
    before = 0
    for found in _WORD.finditer(text):
        spelt = found[0]
        key = re.sub(r"['’`-]", "", spelt).casefold()  # noqa: RUF001 - both apostrophes
        may_go = found.start() in optional or spelt.endswith("-") or _is_hesitation(key, language)
        begins_sentence = not words or _SENTENCE_END.search(text[before : found.start()])
        is_name = has_case and spelt[0].isupper() and len(spelt) > 1 and not begins_sentence
        words.append(_Word(spelt, key, may_go, is_name))
        before = found.end()
    return words


def _is_hesitation(key: str, language: str | None) -> bool:
    is_english = language in {None, "en"} and _ENGLISH_HESITATION.fullmatch(key)
    return bool(is_english or _HESITATION.fullmatch(key))


def _aligned(heard: Sequence[_Word], written: Sequence[_Word]) -> list[tuple[_Word, _Word | None]] | None:
    """Pair each word that was heard with the one written for it, if any; None where more is written."""
    pairs: list[tuple[_Word, _Word | None]] = []
    waiting = iter(written)
    following = next(waiting, None)
    for word in heard:
        if following is not None and following.key == word.key:
            pairs.append((word, following))
            following = next(waiting, None)
        else:
            pairs.append((word, None))
    return pairs if following is None else None


def _losses(words: Sequence[tuple[_Word, bool]]) -> Iterator[Fault]:
    """Yield a fault for each word that is missing, and is neither optional nor part of a repetition."""
    needed = [(word, is_kept) for word, is_kept in words if is_kept or not word.may_go]
    keys = [word.key for word, _ in needed]
    start = 0
    while start < len(needed):
        end = start + 1
        if not needed[start][1]:
            while end < len(needed) and not needed[end][1]:
                end += 1
            if any(_is_number(key) for key in keys[start:end]):
                yield Fault.LOST_NUMBER
            elif not _is_repetition(keys, start, end):
                yield Fault.LOST_WORDS
        start = end


def _is_repetition(keys: Sequence[str], start: int, end: int) -> bool:
    """Check that words are nothing but the phrase before them, once more or several times."""
    longest = min(MAX_PHRASE_WORDS, end - start, start)
    return any(keys[start:end] == keys[start - length : end - length] for length in range(1, longest + 1))


def _is_number(key: str) -> bool:
    return key in _NUMBERS or any(map(str.isnumeric, key))
