"""Redaction by rules: addresses and numbers that are known by their form or their checksum."""

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from adapters.redaction.emails import addresses_in
from adapters.redaction.ibans import accounts_in
from adapters.redaction.numbers import kind_of
from adapters.redaction.numerals import Numeral, Numerals, Role
from adapters.redaction.runs import Run, bridged, runs_of
from adapters.redaction.vocabulary import UNITS
from adapters.redaction.words import WrittenWord, words_of
from domain.model.personal_data import PersonalData, PersonalDataKind
from ports.redactor_port import RedactorPort

_ADDRESS = Numeral(Role.OTHER)
_ACCOUNT = Numeral(Role.MARKER, kind=PersonalDataKind.IBAN)


class RulesRedactor(RedactorPort):
    """Finds e-mail addresses, account, card and phone numbers, and long numbers (docs/redaction.md).

    Each rule looks at a bounded number of words around each word, and no pattern can backtrack.
    """

    def find(self, text: str, language: str | None, /) -> Sequence[PersonalData]:
        """Look for addresses first, then for accounts, then for numbers in what is left."""
        words = words_of(text)
        reader = Numerals(language)
        numerals = bridged([reader.read(word) for word in words])
        found = [*_addresses(words, numerals), *_numbers(words, numerals)]
        return _united(sorted(found, key=attrgetter("start")))


def _united(found: Iterable[PersonalData]) -> list[PersonalData]:
    """Make one of findings that overlap, such as an account number in front of an address."""
    united: list[PersonalData] = []
    for each in found:
        if united and each.start < united[-1].end:
            united[-1] = united[-1]._replace(end=max(united[-1].end, each.end))
        else:
            united.append(each)
    return united


def _addresses(words: Sequence[WrittenWord], numerals: list[Numeral]) -> Iterator[PersonalData]:
    """Yield addresses, and take their words out of the numerals."""
    for first, last in list(addresses_in(words, numerals)):
        numerals[first : last + 1] = [_ADDRESS] * (last + 1 - first)
        yield _found(words, first, last, PersonalDataKind.EMAIL)


def _numbers(words: Sequence[WrittenWord], numerals: list[Numeral]) -> Iterator[PersonalData]:
    """Yield numbers; digits beside an account number go with it."""
    accounts = dict(accounts_in(words, numerals))
    for first, last in accounts.items():
        numerals[first : last + 1] = [_ACCOUNT] * (last + 1 - first)
    for run in runs_of(numerals):
        if _has_account(run, accounts) or (run.is_private and not _is_amount(run, words)):
            yield _found(words, run.first, run.last, kind_of(run, _texts(run, words)))


def _has_account(run: Run, accounts: Iterable[int]) -> bool:
    return run.marker is PersonalDataKind.IBAN and run.first in accounts


def _is_amount(run: Run, words: Sequence[WrittenWord]) -> bool:
    """Check for one number with a unit behind it, such as "100000 euros"."""
    behind = words[run.last + 1].text if run.last + 1 < len(words) else ""
    return run.first == run.last and run.marker is None and behind.casefold() in UNITS


def _texts(run: Run, words: Sequence[WrittenWord]) -> list[str]:
    return [words[group.place].text for group in run.groups]


def _found(words: Sequence[WrittenWord], first: int, last: int, kind: PersonalDataKind) -> PersonalData:
    return PersonalData(words[first].start, words[last].end, kind)
