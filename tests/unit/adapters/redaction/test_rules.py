"""Redaction by rules: the contract, and the edges of each rule."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.redaction.rules import RulesRedactor
from tests.contracts.redactor_port import RedactorPortContract


def redacted(text: str, language: str | None = "en") -> str:
    """Replace what is found by its marker."""
    for each in reversed(RulesRedactor().find(text, language)):
        text = text[: each.start] + each.kind.marker + text[each.end :]
    return text


class TestRules(RedactorPortContract):
    @pytest.fixture
    def redactor(self) -> RulesRedactor:
        return RulesRedactor()


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("null eins sieben eins zwo drei vier", "de", "[NUMBER]"),
        ("mi número es seis uno dos tres cuatro cinco seis", "es", "mi número es [NUMBER]"),
        ("zéro six un deux trois quatre", "fr", "[NUMBER]"),
        ("eins zwei drei vier fünf sechs sieben", "en", "eins zwei drei vier fünf sechs sieben"),
        ("one two three four five six seven", None, "[NUMBER]"),
        ("one two three four five six seven", "xx", "[NUMBER]"),
        ("hans punkt meier ät beispiel punkt de", "de", "[EMAIL]"),
        ("ana arroba ejemplo punto es", "es", "[EMAIL]"),
    ],
)
def test_digits_are_known_in_the_language_of_the_transcript(
    text: str, language: str | None, expected: str
) -> None:
    assert redacted(text, language) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4111 1111 1111 1112", "[NUMBER]"),  # the checksum is wrong
        ("DE88 3704 0044 0532 0130 00", "DE88 [NUMBER]"),
        ("12 4111 1111 1111 1111 123", "[CARD]"),  # expiry and code go with it
        ("four one one one" + " one" * 12, "[CARD]"),
        ("one two three four five", "one two three four five"),
        ("one two three four five six", "[NUMBER]"),
        ("12345", "12345"),
        ("123456", "[NUMBER]"),
        ("１２３４５６", "[NUMBER]"),  # noqa: RUF001 - digits as Japanese text has them
        ("电话号码是13812345678谢谢", "电话号码是[PHONE]谢谢"),
        ("<john@example.com>", "<[EMAIL]>"),
        ("mailto:john@example.com.", "[EMAIL]."),
        ("john @example.com", "[EMAIL]"),
        ("john@ example.com", "[EMAIL]"),
        ("john @ example dot com", "[EMAIL]"),
        ("john dot [EMAIL]", "[EMAIL]"),  # the second half was redacted alone
        ("DE89370400440532013000 +49 170 1234567 john@example.com", "[EMAIL]"),  # one in front of another
        ('my "DE89370400440532013000" 4111 1111 1111 1111 john@example.com', "[EMAIL]"),
        ("oh okay then", "oh okay then"),
        ("call double oh seven", "call double oh seven"),
        ("4111 and 1111", "4111 and 1111"),
    ],
)
def test_a_rule_ends_where_it_should(text: str, expected: str) -> None:
    assert redacted(text) == expected


PIECES = """hello my is at dot com john @ john@ @example.com example.com john@example.com [EMAIL] [CARD]
[IBAN] DE89370400440532013000 DE89 3704 0044 0532 0130 00 GB29NWBK60161331926819 double five oh one 4111
555-1234 +49 170 1234567 uh plus underscore point 100000 euros 2024 12,50"""


@given(st.lists(st.sampled_from(PIECES.split()), max_size=14).map(" ".join))
def test_findings_never_overlap(text: str) -> None:
    found = RulesRedactor().find(text, "en")

    assert all(first.end <= second.start for first, second in pairwise(found))
    assert all(each.start < each.end for each in found)
