import sys

import pytest

from adapters.cleaning.words import capitalised, ends_sentence, is_number, key, with_marks, with_stop

LETTERS = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).islower()]


@pytest.mark.parametrize(
    "word", ["7", "1,000", "3.5", "½", "٣", "Twenty-one", "nine,", "first", "mp3", "one(", "zero/one"]
)
def test_digits_and_number_words_are_numbers(word: str) -> None:
    assert is_number(word)


@pytest.mark.parametrize("word", ["none", "often", "tents", "a", "-", "someone"])
def test_words_that_hold_a_number_by_chance_are_none(word: str) -> None:
    assert not is_number(word)


@pytest.mark.parametrize("word", ["done.", "really?", "no!", "5.", "example.com.", "好。"])
def test_a_stop_ends_a_sentence(word: str) -> None:
    assert ends_sentence(word)


@pytest.mark.parametrize(
    "word", ["done", "done,", "U.S.", "p.m.", "Ph.D.", "Mr.", "J.", "well...", "so…", 'stop."']
)
def test_an_abbreviation_an_ellipsis_and_a_quoted_stop_end_none(word: str) -> None:
    assert not ends_sentence(word)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("so", "so."), ("so,", "so."), ("so!", "so!"), ('so."', 'so."'), ("u.s.,", "u.s."), ('"so"', '"so".')],
)
def test_a_word_has_one_stop(word: str, expected: str) -> None:
    assert with_stop(word) == expected


@pytest.mark.parametrize(
    ("word", "marks", "expected"),
    [
        ("so", ",", "so,"),
        ("so,", ",", "so,"),
        ("so.", ",", "so."),
        ("so,", "?", "so?"),
        ("u.s.", ",", "u.s.,"),
    ],
)
def test_punctuation_is_not_doubled(word: str, marks: str, expected: str) -> None:
    assert with_marks(word, marks) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("so", "So"), ('"so', '"So'), ("élan", "Élan"), ("don't", "Don't"), ("well-known", "Well-known")],
)
def test_an_ordinary_word_gets_a_capital(word: str, expected: str) -> None:
    assert capitalised(word) == expected


@pytest.mark.parametrize(
    "word", ["iPhone", "mp3", "e@f.de", "example.com", "https://a", "#tag", "ßa", "7th", "ი", "-"]
)
def test_a_word_that_a_capital_would_damage_gets_none(word: str) -> None:
    assert capitalised(word) == word


def test_no_letter_of_any_script_becomes_another_letter() -> None:
    damaged = [letter for letter in LETTERS if capitalised(letter).lower() != letter]

    assert len(LETTERS) > 2_000
    assert damaged == []


def test_a_capital_makes_no_other_key() -> None:
    differing = [letter for letter in LETTERS if key(capitalised(letter)) != key(letter)]

    assert differing == []
