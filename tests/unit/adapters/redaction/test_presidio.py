"""Redaction by Presidio, with a double that has its interface: what it adds to the rules."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import pytest

from adapters.redaction.presidio import ENTITIES, MAX_CHARACTERS, Found, PresidioRedactor
from adapters.redaction.rules import RulesRedactor
from tests.contracts.redactor_port import RedactorPortContract

NAMES = {"Ada Lovelace": "PERSON", "Lovelace": "PERSON", "London": "LOCATION", "call 4111": "PERSON"}


class Entity(NamedTuple):
    """As Presidio's `RecognizerResult`."""

    entity_type: str
    start: int
    end: int


class NameAnalyzer:
    """Knows some names; answers in no order, and with overlaps."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def analyze(
        self, *, text: str, language: str, entities: list[str], score_threshold: float
    ) -> Iterable[Found]:
        assert language == "en"
        assert entities == list(ENTITIES)
        assert 0 < score_threshold < 1
        self.lengths.append(len(text))
        return [
            Entity(kind, match.start(), match.end())
            for name, kind in reversed(NAMES.items())
            for match in re.finditer(name, text)
        ]


@pytest.fixture
def analyzer() -> NameAnalyzer:
    return NameAnalyzer()


@pytest.fixture
def redactor(analyzer: NameAnalyzer) -> PresidioRedactor:
    return PresidioRedactor(RulesRedactor(), analyzer, language="en")


class TestPresidio(RedactorPortContract):
    @pytest.fixture
    def redactor(self, analyzer: NameAnalyzer) -> PresidioRedactor:
        return PresidioRedactor(RulesRedactor(), analyzer, language="en")


def found(redactor: PresidioRedactor, text: str, language: str | None = "en") -> list[tuple[str, str]]:
    return [(each.kind.value, text[each.start : each.end]) for each in redactor.find(text, language)]


def test_names_are_found_beside_what_the_rules_find(redactor: PresidioRedactor) -> None:
    text = "Ada Lovelace of London has 4111 1111 1111 1111"

    assert found(redactor, text) == [
        ("PERSON", "Ada Lovelace"),
        ("LOCATION", "London"),
        ("CARD", "4111 1111 1111 1111"),
    ]


def test_a_name_that_runs_into_a_number_ends_before_it(redactor: PresidioRedactor) -> None:
    assert found(redactor, "call 4111 1111 1111 1111")[-1] == ("CARD", "4111 1111 1111 1111")


def test_other_languages_are_left_to_the_rules(redactor: PresidioRedactor) -> None:
    assert found(redactor, "Ada Lovelace: 123456", "de") == [("NUMBER", "123456")]
    assert found(redactor, "Ada Lovelace", None) == [("PERSON", "Ada Lovelace")]


def test_a_long_text_is_searched_part_by_part(redactor: PresidioRedactor, analyzer: NameAnalyzer) -> None:
    text = "Ada Lovelace met " * 5000

    assert len(found(redactor, text)) == 5000
    assert len(analyzer.lengths) > 4
    assert max(analyzer.lengths) <= MAX_CHARACTERS
