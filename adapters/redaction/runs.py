"""Runs: neighbouring words that are one number together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from adapters.redaction.numerals import MIN_DIGITS, Numeral, Role, joined
from domain.model.personal_data import PersonalDataKind

MAX_PAUSES = 2
"""Words between two groups of digits that do not end a number."""
_PARTS = frozenset({Role.DIGITS, Role.FACTOR, Role.MARKER})
_FIRST_YEAR, _LAST_YEAR = "1900", "2100"


@dataclass(slots=True)
class Group:
    """Digits that stand, or are spoken, together."""

    digits: str
    is_spoken: bool
    place: int  # of its first word among all words


@dataclass
class Run:
    """Groups of digits with at most pauses between them, and the markers among them."""

    first: int  # place of its first word
    last: int
    groups: list[Group] = field(default_factory=list)
    marker: PersonalDataKind | None = None  # the first one

    @cached_property
    def digits(self) -> str:
        """Return all digits."""
        return "".join(group.digits for group in self.groups)

    @property
    def is_private(self) -> bool:
        """Check for enough digits, or for some beside a marker; a list of years is no number."""
        if self.marker is not None:
            return bool(self.groups)
        return len(self.digits) >= MIN_DIGITS and not all(map(_is_year, self.groups))


def bridged(numerals: list[Numeral]) -> list[Numeral]:
    """Take a word between spoken digits, two on each side at least, for a misheard digit."""
    spoken = [numeral.is_spoken and len(numeral.digits) == 1 for numeral in numerals]
    bridges = (
        place
        for place in range(2, len(numerals) - 2)
        if not spoken[place] and all((*spoken[place - 2 : place], *spoken[place + 1 : place + 3]))
    )
    for place in list(bridges):
        if numerals[place].role is Role.OTHER:
            numerals[place] = Numeral(Role.PAUSE)
    return numerals


def runs_of(numerals: Iterable[Numeral]) -> Iterator[Run]:
    """Cut the words of a text into runs."""
    builder = _Builder()
    for place, numeral in enumerate(numerals):
        if numeral.role in _PARTS:
            builder.add(place, numeral)
        elif builder.has_begun and not (numeral.role is Role.PAUSE and builder.may_pause()):
            yield from builder.runs
            builder = _Builder()
    yield from builder.runs


class _Builder:
    """Run that grows word by word."""

    def __init__(self) -> None:
        self.runs: list[Run] = []  # one, once there is a digit
        self._pauses = 0
        self._factor = 1
        self._begin: int | None = None  # place of a factor before its digit

    @property
    def has_begun(self) -> bool:
        """True once a word was added."""
        return bool(self.runs) or self._begin is not None

    def may_pause(self) -> bool:
        """Count a pause; too many end the run."""
        self._pauses += 1
        return self._pauses <= MAX_PAUSES

    def add(self, place: int, numeral: Numeral) -> None:
        """Add a word."""
        self._pauses = 0
        if numeral.role is Role.FACTOR:
            self._factor, self._begin = numeral.factor, place
            return
        first = place if self._begin is None else self._begin
        if not self.runs:
            self.runs.append(Run(first, place))
        (run,) = self.runs
        run.last = place
        if numeral.role is Role.MARKER:
            run.marker = run.marker or numeral.kind
        else:
            self._add_digits(run.groups, first, numeral)
        self._factor, self._begin = 1, None

    def _add_digits(self, groups: list[Group], place: int, numeral: Numeral) -> None:
        digits = numeral.digits * (self._factor if len(numeral.digits) == 1 else 1)
        if numeral.is_spoken and groups and groups[-1].is_spoken:
            both = joined([groups[-1].digits, digits], is_spoken=True)
            groups[-1].digits = both.removesuffix(digits)
        groups.append(Group(digits, numeral.is_spoken, place))


def _is_year(group: Group) -> bool:
    return not group.is_spoken and len(group.digits) == 4 and _FIRST_YEAR <= group.digits < _LAST_YEAR  # noqa: PLR2004 - of a year
