"""International bank account numbers (ISO 13616), with and without spaces."""

import re
from collections.abc import Iterator, Sequence
from string import ascii_uppercase
from typing import NamedTuple

from adapters.redaction.numerals import Numeral, Role
from adapters.redaction.words import WrittenWord

LENGTHS = range(15, 35)
"""Characters of an account number, without spaces."""
_BEGINNING = re.compile(r"[A-Z]{2}\d{2}")
_VALUES = {ord(letter): str(int(letter, 36)) for letter in ascii_uppercase}
_LONGEST_LETTERS = 4
"""Letters of a bank, as in "GB82 WEST"."""


class Account(NamedTuple):
    """Words of an account number."""

    first: int  # place of its first word among all words
    last: int


def accounts_in(words: Sequence[WrittenWord], numerals: Sequence[Numeral]) -> Iterator[Account]:
    """Yield the account numbers of a text, in order."""
    place = 0
    while place < len(words):
        last = _end_of_account(words, numerals, place) if _may_begin(words[place]) else None
        if last is not None:
            yield Account(place, last)
        place = place + 1 if last is None else last + 1


def _may_begin(word: WrittenWord) -> bool:
    """Check for letters of a country, alone or with digits."""
    start = word.text[:3]
    return start[:1].isalpha() and start.isascii() and (len(start) < len("DE8") or not start.isalpha())


def _end_of_account(words: Sequence[WrittenWord], numerals: Sequence[Numeral], first: int) -> int | None:
    """Return the place of the last word of the longest account number that begins here."""
    characters, found, factor = "", None, 1
    for place in range(first, min(first + LENGTHS.stop, len(words))):
        if numerals[place].role is Role.PAUSE:
            continue
        if numerals[place].role is Role.FACTOR:
            factor = numerals[place].factor
            continue
        part, factor = _characters(words[place], numerals[place]) * factor, 1
        characters += part
        if not part or len(characters) >= LENGTHS.stop or not _is_beginning(characters):
            break
        if len(characters) in LENGTHS and _is_valid(characters):
            found = place
    return found


def _characters(word: WrittenWord, numeral: Numeral) -> str:
    """Return the letters and digits of a word; none where it cannot be a part of an account number."""
    if numeral.is_spoken:
        return numeral.digits
    if len(word.text) >= LENGTHS.stop + 10:  # more than separators explain
        return ""
    characters = "".join(filter(str.isalnum, word.text)).upper()
    is_bank = len(word.text) == 1 or (word.text.isupper() and len(word.text) <= _LONGEST_LETTERS)
    is_part = is_bank or any(map(str.isdecimal, characters))
    return characters if is_part and characters.isascii() else ""


def _is_beginning(characters: str) -> bool:
    return _BEGINNING.match((characters + "AA00"[len(characters) :])[:4]) is not None


def _is_valid(account: str) -> bool:
    """Check the remainder of 97, with letters as numbers from 10 on."""
    return int((account[4:] + account[:4]).translate(_VALUES)) % 97 == 1
