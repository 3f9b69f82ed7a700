"""Words as they stand in a transcript: letters in the middle, punctuation at the edges."""

import re

from adapters.cleaning.vocabulary import ABBREVIATIONS, NUMBERS

STOPS = ".!?…。！？؟।"  # noqa: RUF001 - other scripts end their sentences too
"""Marks behind which a sentence may end."""

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
    """The word and the punctuation behind it; a word that is all punctuation is its own body."""
    body = word.rstrip(_TRAILING) or word
    return body, word[len(body) :]


def opening(word: str) -> str:
    """The quotes and brackets in front of a word."""
    return word[: len(word) - len(word.lstrip(_OPENERS + DASHES))]


def key(word: str) -> str:
    """What two words are compared by: no punctuation at the edges, no difference of case or apostrophe."""
    body, _ = body_and_marks(word)
    return (body[len(opening(body)) :] or body).casefold().replace(_CURLY_APOSTROPHE, "'")


def is_number(word: str) -> bool:
    """Whether a word counts or ranks: digits of any script, or an English number word, "twenty-one" too."""
    return any(map(str.isnumeric, word)) or not NUMBERS.isdisjoint(_LETTERS.findall(word.casefold()))


def flows_on(word: str) -> bool:
    """Whether at most a comma or a dash stands behind the word: no stop, no closing quote or bracket."""
    _, marks = body_and_marks(word)
    return not marks.strip(PAUSES + DASHES)


def has_stop(word: str) -> bool:
    """Whether a stop of any kind stands behind the word, be it an abbreviation's or inside a quotation."""
    return word.rstrip(_CLOSERS).endswith(tuple(STOPS))


def ends_sentence(word: str) -> bool:
    """Whether the word is the last of its sentence, as far as its punctuation tells.

    An abbreviation, an ellipsis or a stop inside a quotation tells nothing.
    """
    return word.endswith(tuple(STOPS)) and not word.endswith(("..", "…")) and not _is_abbreviation(word)


def with_stop(word: str, stop: str = ".") -> str:
    """The word with a stop behind it: its own where it has one, else `stop`, in place of a comma."""
    body, marks = body_and_marks(word)
    bare = body + marks.rstrip(PAUSES)
    return bare if has_stop(bare) else bare + stop


def with_marks(word: str, marks: str) -> str:
    """The word with punctuation behind it; what is there already outranks a comma and is not doubled."""
    if has_stop(marks):
        return with_stop(word, marks)
    return word if ends_sentence(word) or word.endswith(tuple(PAUSES)) else word + marks


def capitalised(word: str) -> str:
    """The word with a capital at its start.

    Only ordinary lower-case words get one: addresses, "iPhone", "mp3" and letters that are no capital's small
    letter ("ß", "ი") stay as they are.
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
    """Whether the full stop behind the word belongs to it: "dr.", "p.m.", an initial."""
    if not word.endswith("."):
        return False
    spelt = key(word)
    return spelt in ABBREVIATIONS or _are_initials(spelt.split("."))


def _are_initials(parts: list[str]) -> bool:
    longest = 1 if len(parts) == 1 else _LONGEST_INITIAL
    return all(part.isalpha() and len(part) <= longest for part in parts)
