"""Numerals: the digits in a word, whether it is written or spoken."""

import re
from enum import Enum, auto
from typing import NamedTuple

from adapters.redaction.vocabulary import FACTORS, NUMBERS, PAUSES
from adapters.redaction.words import WrittenWord
from domain.model.personal_data import PersonalDataKind

MIN_DIGITS = 6
"""Fewest digits in a row that are redacted."""

_SEPARATORS = re.compile(r"[-‐‑–./()]+")  # noqa: RUF001 - dashes of all lengths
_DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1(\d{4}|\d{2})|\d{4}([./-])\d{1,2}\3\d{1,2}")
_DECIMAL = re.compile(r"(0|[1-9]\d*)\.\d+")
_AMOUNT = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_LONGEST_AMOUNT = 13
"""Characters of 999,999,999.9; engines write longer numbers with commas that were dictated digit by digit."""
_LONG = re.compile(rf"\d{{{MIN_DIGITS},}}")
_CURRENCIES = "$€£¥#%"
_MARKERS = {
    kind.marker: kind
    for kind in (
        PersonalDataKind.CARD,
        PersonalDataKind.IBAN,
        PersonalDataKind.PHONE,
        PersonalDataKind.NUMBER,
    )
}
_OTHER_MARKERS = frozenset(kind.marker for kind in PersonalDataKind)
_TENS = frozenset(str(tens) for tens in range(20, 100, 10))


class Role(Enum):
    """Part of a word in a number."""

    DIGITS = auto()
    FACTOR = auto()  # "double"
    PAUSE = auto()  # what may stand between digits
    MARKER = auto()  # of a number that is redacted already
    OTHER = auto()  # what ends a number


class Numeral(NamedTuple):
    """Contribution of a word to a number."""

    role: Role
    digits: str = ""
    is_spoken: bool = False
    factor: int = 1
    kind: PersonalDataKind | None = None  # of a marker


_OTHER = Numeral(Role.OTHER)
_PAUSE = Numeral(Role.PAUSE)


class Numerals:
    """Reads the words of one language; an unknown one counts as English."""

    def __init__(self, language: str | None) -> None:
        self._numbers = NUMBERS.get(language or "en", NUMBERS["en"])

    def read(self, word: WrittenWord) -> Numeral:
        """Read one word."""
        text = word.text.casefold()
        if (digits := self._numbers.get(text)) is not None:
            return Numeral(Role.DIGITS, digits, is_spoken=True)
        if text in PAUSES:
            return _PAUSE
        if text in FACTORS:
            return Numeral(Role.FACTOR, factor=FACTORS[text])
        if text.isalpha():
            return _OTHER
        if text[0] in "[<":
            return _tagged(word.text)
        return self._composed(word, text)

    def _composed(self, word: WrittenWord, text: str) -> Numeral:
        """Read a word of several parts, such as "555-1234", "+49(0)89" and "four-one-one"."""
        if any(sign in _CURRENCIES for sign in (word.whole[0], word.whole[-1], text[0], text[-1])):
            return _OTHER
        if text.isdecimal():
            return Numeral(Role.DIGITS, _ascii(text))
        if _is_quantity(text):
            return _OTHER
        parts = [part for part in _SEPARATORS.split(text.removeprefix("+").replace(",", "-")) if part]
        found = [self._part(part) for part in parts]
        if not found or None in found:
            return _within(text)
        is_spoken = not any(map(str.isdecimal, parts))
        return Numeral(Role.DIGITS, joined([each for each in found if each], is_spoken=is_spoken), is_spoken)

    def _part(self, text: str) -> str | None:
        return _ascii(text) if text.isdecimal() else self._numbers.get(text)


def joined(numbers: list[str], *, is_spoken: bool) -> str:
    """Join digits; spoken tens take the digit behind them: "twenty two" is 22, not 202."""
    digits = ""
    for before, number in zip(["", *numbers], numbers, strict=False):
        takes_it = is_spoken and before in _TENS and len(number) == 1 and number != "0"
        digits = (digits[:-1] if takes_it else digits) + number
    return digits


def _ascii(digits: str) -> str:
    return digits if digits.isascii() else "".join(str(int(digit)) for digit in digits)


def _is_quantity(text: str) -> bool:
    """Check for a date, a decimal fraction, or an amount with separators of thousands."""
    if len(text) > _LONGEST_AMOUNT:
        return _DECIMAL.fullmatch(text) is not None
    return any(pattern.fullmatch(text) for pattern in (_DATE, _DECIMAL, _AMOUNT))


def _within(text: str) -> Numeral:
    """Look for a long number within a word, such as that of a customer."""
    longest = max(_LONG.findall(text), key=len, default="")
    return Numeral(Role.DIGITS, _ascii(longest)) if longest else _OTHER


def _tagged(tag: str) -> Numeral:
    """Tell markers from tags such as "[NOISE]" and "<sil>", between which a number goes on."""
    if tag in _MARKERS:
        return Numeral(Role.MARKER, kind=_MARKERS[tag])
    return _OTHER if tag in _OTHER_MARKERS else _PAUSE
