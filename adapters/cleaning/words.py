"""Words of a transcript: letters in the middle, punctuation at the edges."""

import re

from adapters.cleaning.vocabulary import ABBREVIATIONS, NUMBERS

STOPS = ".!?…。！？؟।"  # noqa: RUF001 - other scripts end their sentences too
"""Marks that may end a sentence."""

PAUSES = ",;:"
DASHES = "–—"  # noqa: RUF001 - dashes of all lengths
_OPENERS = "\"'“‘„«([{¿¡"  # noqa: RUF001 - quotes of all shapes
_CLOSERS = "\"'”’»)]}"  # noqa: RUF001 - quotes of all shapes
_CURLY_APOSTROPHE = "’"  # noqa: RUF001 - the one that typesetters use

_TRAILING = STOPS + PAUSES + DASHES + _CLOSERS

_LETTERS = re.compile(r"[^\W\d_]+")
_LONGEST_INITIAL = 2
"""Letters between the stops of "u.s.", "p.m." and "ph.d."."""


def body_and_marks(word: str) -> tuple[str, str]:
    """Split a word from the punctuation behind it; a word of punctuation alone is its own body."""
    body = word.rstrip(_TRAILING) or word
    return body, word[len(body) :]


def opening(word: str) -> str:
    """Return the quotes and brackets in front of a word."""
    return word[: len(word) - len(word.lstrip(_OPENERS + DASHES))]


def key(word: str) -> str:
    """Normalise a word for comparison: without punctuation at the edges, in one case and apostrophe."""
    body, _ = body_and_marks(word)
    return (body[len(opening(body)) :] or body).casefold().replace(_CURLY_APOSTROPHE, "'")


def is_number(word: str) -> bool:
    """Check for a number or rank: digits of any script, or an English number word such as "twenty-one"."""
    return any(map(str.isnumeric, word)) or not NUMBERS.isdisjoint(_LETTERS.findall(word.casefold()))


def flows_on(word: str) -> bool:
    """Check that at most a comma or a dash follows the word: no stop, closing quote or bracket."""
    _, marks = body_and_marks(word)
    return not marks.strip(PAUSES + DASHES)


def has_stop(word: str) -> bool:
    """Check that a stop follows the word, also one of an abbreviation or inside a quotation."""
    return word.rstrip(_CLOSERS).endswith(tuple(STOPS))


def ends_sentence(word: str) -> bool:
    """Check that the punctuation of the word ends a sentence.

    An abbreviation, an ellipsis or a stop inside a quotation does not count.
    """
    return word.endswith(tuple(STOPS)) and not word.endswith(("..", "…")) and not _is_abbreviation(word)


def with_stop(word: str, stop: str = ".") -> str:
    """Add a stop to the word, in place of a comma, unless it has one."""
    body, marks = body_and_marks(word)
    bare = body + marks.rstrip(PAUSES)
    return bare if has_stop(bare) else bare + stop


def with_marks(word: str, marks: str) -> str:
    """Add punctuation to the word; existing marks outrank a comma and are not doubled."""
    if has_stop(marks):
        return with_stop(word, marks)
    return word if ends_sentence(word) or word.endswith(tuple(PAUSES)) else word + marks


def capitalised(word: str) -> str:
    """Capitalise an ordinary lower-case word.

    Addresses, "iPhone", "mp3" and words that begin with a letter without a capital ("ß", "ი") stay unchanged.
    """
    position = len(opening(word))
    first = word[position : position + 1]
    capital = first.title()
    if not _is_ordinary(word) or capital.lower() != first:
        return word
    return word[:position] + capital + word[position + 1 :]


def _is_ordinary(word: str) -> bool:
    body, _ = body_and_marks(word)
    return body.islower() and not any(letter.isnumeric() or letter in "./@:\\_#" for letter in body)


def _is_abbreviation(word: str) -> bool:
    """Check that the full stop behind the word belongs to it: "dr.", "p.m.", an initial."""
    if not word.endswith("."):
        return False
    spelt = key(word)
    return spelt in ABBREVIATIONS or _are_initials(spelt.split("."))


def _are_initials(parts: list[str]) -> bool:
    longest = 1 if len(parts) == 1 else _LONGEST_INITIAL
    return all(part.isalpha() and len(part) <= longest for part in parts)
