"""Numbers: which kind of number a run of digits is."""

import re
from itertools import accumulate

from adapters.redaction.runs import Run
from domain.model.personal_data import PersonalDataKind

CARD_LENGTHS = range(13, 20)
"""Digits of a payment card (ISO/IEC 7812)."""
_CARD_BEGINNINGS = "23456"
_NORTH_AMERICAN = re.compile(r"1?[2-9]\d{9}")
_NATIONAL = re.compile(r"0[1-9]\d{7,10}")
_INTERNATIONAL = re.compile(r"00[1-9]\d{7,14}")
_PLUS_LENGTHS = range(7, 16)
"""Digits behind a plus (ITU-T E.164)."""


def kind_of(run: Run, texts: list[str]) -> PersonalDataKind:
    """Name the kind of a run; `texts` are the words of its groups as they are written."""
    if run.marker is not None:
        return run.marker
    if has_card(run):
        return PersonalDataKind.CARD
    return PersonalDataKind.PHONE if _is_phone(run, texts) else PersonalDataKind.NUMBER


def has_card(run: Run) -> bool:
    """Look for groups that are a card number together, by the checksum of Luhn.

    Sums from the left make each look a subtraction: no run takes more than a look for each group and length.
    """
    digits = run.digits
    sums = _luhn_sums(digits)
    ends = list(accumulate((len(group.digits) for group in run.groups), initial=0))
    boundaries = set(ends)
    return any(
        start + length in boundaries and _is_valid(sums, start, start + length)
        for start in ends[:-1]
        if digits[start] in _CARD_BEGINNINGS
        for length in CARD_LENGTHS
    )


def _luhn_sums(digits: str) -> tuple[list[int], list[int]]:
    """Return sums up to each digit, with those at even and at odd places doubled."""
    values = list(map(int, digits))
    doubled = [value * 2 - 9 * (value > 4) for value in values]  # noqa: PLR2004 - 5 * 2 has two digits
    even = accumulate(
        (b if n % 2 == 0 else a for n, (a, b) in enumerate(zip(values, doubled, strict=True))), initial=0
    )
    odd = accumulate(
        (b if n % 2 else a for n, (a, b) in enumerate(zip(values, doubled, strict=True))), initial=0
    )
    return list(even), list(odd)


def _is_valid(sums: tuple[list[int], list[int]], start: int, end: int) -> bool:
    """Check a stretch: counted from its end, every second digit is doubled, the last one is not."""
    chosen = sums[end % 2]
    return (chosen[end] - chosen[start]) % 10 == 0


def _is_phone(run: Run, texts: list[str]) -> bool:
    digits = run.digits
    if texts[0].startswith("+") and len(digits) in _PLUS_LENGTHS:
        return True
    if any(pattern.fullmatch(digits) for pattern in (_NORTH_AMERICAN, _NATIONAL, _INTERNATIONAL)):
        return True
    return _is_local(texts)


def _is_local(texts: list[str]) -> bool:
    """Check for "555-1234"."""
    return len(texts) == 1 and re.fullmatch(r"[2-9]\d{2}[-.]\d{4}", texts[0]) is not None
