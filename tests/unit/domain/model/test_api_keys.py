"""Form of API keys."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.model.api_keys import PlainKey, new_key, parse_key

KEY = PlainKey("4f7k2m9x", "a" * 43)
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def test_a_key_has_a_public_id_a_secret_and_a_checksum() -> None:
    key = new_key()

    assert re.fullmatch(r"bt_[0-9a-z]{8}_[0-9A-Za-z]{49}", key.text)
    assert parse_key(key.text) == key
    assert key.text.startswith(f"bt_{key.id}_{key.secret}")


def test_no_key_comes_twice() -> None:
    keys = [new_key() for _ in range(1000)]

    assert len({key.id for key in keys}) == len({key.secret for key in keys}) == 1000


def test_the_form_of_keys_never_changes() -> None:
    """Scanners for secrets and callers' stores know it."""
    assert KEY.text == f"bt_4f7k2m9x_{'a' * 43}2W0Phu"
    assert KEY.secret_hash == "66d34fba71f8f450f7e45598853e53bfc23bbd129027cbb131a2f4ffd7878cd0"


def test_a_secret_is_in_no_representation() -> None:
    assert KEY.secret not in repr(KEY)
    assert KEY.secret not in str(KEY)


@given(at=st.integers(0, len(KEY.text) - 1), letter=st.sampled_from(LETTERS))
def test_a_wrong_letter_is_found(at: int, letter: str) -> None:
    text = KEY.text[:at] + letter + KEY.text[at + 1 :]

    assert (parse_key(text) is None) == (text != KEY.text)


@given(at=st.integers(0, len(KEY.text) - 2))
def test_two_letters_in_the_wrong_order_are_found(at: int) -> None:
    text = KEY.text[:at] + KEY.text[at + 1] + KEY.text[at] + KEY.text[at + 2 :]

    assert (parse_key(text) is None) == (text != KEY.text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bt_",
        KEY.text[:-1],
        KEY.text + "0",
        KEY.text + "\n",
        f" {KEY.text}",
        KEY.text.upper(),
        "bt_" * 999,
    ],
)
def test_what_is_no_key_is_none(text: str) -> None:
    assert parse_key(text) is None


@given(st.text())
def test_any_text_is_examined_without_an_error(text: str) -> None:
    assert parse_key(text) is None
    assert parse_key(f"bt_4f7k2m9x_{text}") is None
