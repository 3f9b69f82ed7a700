"""E-mail addresses, written ("john@example.com") and spoken ("john dot doe at example dot com")."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from adapters.redaction.numerals import Numeral, Role
from adapters.redaction.vocabulary import AT, DOTS, JOINTS, NOT_BEFORE_AT, TOP_LEVEL_DOMAINS
from adapters.redaction.words import WrittenWord
from domain.model.personal_data import PersonalDataKind

MAX_LABELS = 6
"""Parts of a domain."""
MAX_LABEL_WORDS = 3
"""Words that an engine makes of the first part, as in "at g mail dot com"."""
MAX_WORDS = 40
"""Words before the "at": a spelled name has one for each letter."""

_MARKER = PersonalDataKind.EMAIL.marker.casefold()
_NO_INITIALS = frozenset({"a", "i"})


class Address(NamedTuple):
    """Words of an address."""

    first: int  # place of its first word among all words
    last: int


def addresses_in(words: Sequence[WrittenWord], numerals: Sequence[Numeral]) -> Iterator[Address]:
    """Yield the addresses of a text, in order."""
    reader = _Reader(words, numerals)
    behind = 0  # place behind the address before
    for place, text in enumerate(reader.texts):
        may_be = text in AT or "@" in text or text == _MARKER
        if may_be and place >= behind and (found := reader.address_at(place, behind)) is not None:
            yield found
            behind = found.last + 1


class _Reader:
    """Looks to both sides of an "at"; `behind` is as far to the left as it may look."""

    def __init__(self, words: Sequence[WrittenWord], numerals: Sequence[Numeral]) -> None:
        self.texts = [word.text.casefold() for word in words]
        self._numerals = numerals

    def address_at(self, place: int, behind: int) -> Address | None:
        """Look for an address whose "at" is this word, or in it."""
        text = self.texts[place]
        if text in AT:
            return self._spoken(place, behind)
        if text.startswith("@"):
            is_whole = place > behind and _is_domain(text[1:])
            return Address(self._beginning(place - 1, behind), place) if is_whole else None
        if text.endswith("@"):
            last = self._domain_end(place + 1)
            return None if last is None else Address(self._beginning(place, behind), last)
        return self._written(place, behind)

    def _written(self, place: int, behind: int) -> Address | None:
        """Read an address in one word; with spoken parts beside it, or the marker of its other part."""
        is_rest = self.texts[place] == _MARKER and self._is_joined(place, behind)
        if not is_rest and not _is_address(self.texts[place]):
            return None
        last = self._labels_end(place)
        return Address(self._beginning(place, behind), last)

    def _spoken(self, place: int, behind: int) -> Address | None:
        if place == behind or (last := self._domain_end(place + 1)) is None:
            return None
        first = self._beginning(place - 1, behind)
        is_name = self.texts[place] == "@" or self.texts[first] not in NOT_BEFORE_AT
        return Address(first, last) if is_name else None

    def _domain_end(self, place: int) -> int | None:
        """Return the place of the last word of a domain that begins here."""
        for label in range(place, min(place + MAX_LABEL_WORDS, len(self.texts))):
            text = self.texts[label]
            if text in AT or text in DOTS:
                return None
            last = self._labels_end(label)
            if last > label or _is_domain(text):
                return last
        return None

    def _labels_end(self, place: int) -> int:
        """Return the place of the last top-level domain that follows with dots; `place` where none does."""
        last, end = place, min(place + 2 * MAX_LABELS, len(self.texts) - 1)
        for label in range(place + 2, end + 1, 2):
            if self.texts[label - 1] not in DOTS:
                break
            if self.texts[label].rpartition(".")[2] in TOP_LEVEL_DOMAINS:
                last = label
        return last

    def _beginning(self, place: int, behind: int) -> int:
        """Return the place of the first word of a name that ends here: joined words, letters and digits."""
        limit = max(behind, place - MAX_WORDS)
        while place > limit:
            if self._is_joined(place, limit):
                place -= 2
            elif self._is_part(place):
                place -= 1
            else:
                break
        return place

    def _is_joined(self, place: int, limit: int) -> bool:
        return place - 2 >= limit and self.texts[place - 1] in JOINTS

    def _is_part(self, place: int) -> bool:
        """Check that the word before belongs to the name: a letter, digits, or the word before digits."""
        text, before = self.texts[place], self.texts[place - 1]
        if self._is_digits(place - 1):
            return True
        if len(before) == 1 and before.isalpha():
            return before not in _NO_INITIALS or len(text) == 1
        return self._is_digits(place) and before.isalpha() and before not in NOT_BEFORE_AT

    def _is_digits(self, place: int) -> bool:
        return self._numerals[place].role is Role.DIGITS


def _is_address(text: str) -> bool:
    """Check for letters or digits on both sides of an "@", in time that its places bound."""
    at = text.find("@", 1)
    while 0 < at < len(text) - 1:
        if text[at - 1].isalnum() and text[at + 1].isalnum():
            return not text.replace("@", "").isdecimal()
        at = text.find("@", at + 1)
    return False


def _is_domain(text: str) -> bool:
    label, dot, last = text.rpartition(".")
    return bool(label and dot) and last in TOP_LEVEL_DOMAINS
