"""Redaction of long and hostile texts: a rule that is not linear exceeds the time limit of its test."""

import pytest

from adapters.redaction.rules import RulesRedactor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]  # patterns that backtrack would take hours

SIZE = 250_000
HOSTILE = {
    "one long number": "4" * (SIZE // 1),
    "digits": "4 " * (SIZE // 2),
    "cards": "4111 1111 1111 1111 " * (SIZE // 20),
    "almost cards": "411111111111112 " * (SIZE // 16),
    "dashes between digits": "1-" * (SIZE // 2),
    "ats": "@" * (SIZE // 1),
    "words of ats": "a at " * (SIZE // 5),
    "addresses": "a@b" * (SIZE // 3),
    "dots": "a dot " * (SIZE // 6),
    "ats and dots": "a dot b at c dot " * (SIZE // 17),
    "letters before ats": "a " * (SIZE // 4) + "at b dot com " * (SIZE // 26),
    "accounts": "DE89 " * (SIZE // 5),
    "pluses": "+1" * (SIZE // 2),
    "brackets": "[(<" * (SIZE // 3),
    "factors": "double " * (SIZE // 7),
    "pauses": "um 1 um um um " * (SIZE // 14),
    "markers": "[NUMBER] " * (SIZE // 9),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_takes_no_longer_than_any_other(kind: str) -> None:
    text = HOSTILE[kind]

    assert all(0 <= each.start < each.end <= len(text) for each in RulesRedactor().find(text, "xx"))
