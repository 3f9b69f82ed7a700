"""Sentences: full stops at their ends, and capitals at their beginnings."""

from collections.abc import Iterator
from typing import NamedTuple

from adapters.cleaning.vocabulary import CALENDAR_NAMES, FIRST_PERSON, NEVER_LAST
from adapters.cleaning.words import capitalised, ends_sentence, key, opening, with_stop


class TimedWords(NamedTuple):
    """Words between two silences."""

    pause: float  # seconds of silence before the first word
    words: list[str]  # at least one


def with_stops(utterances: list[TimedWords], sentence_pause_seconds: float) -> list[str]:
    """Join all words in one line, with a full stop before each long pause and behind the last word."""
    line: list[str] = []
    for pause, words in utterances:
        begins_sentence = pause >= sentence_pause_seconds and line and key(line[-1]) not in NEVER_LAST
        if begins_sentence:
            line[-1] = _with_full_stop(line[-1])
        line += [capitalised(words[0]), *words[1:]] if begins_sentence else words
    return [*line[:-1], *map(_with_full_stop, line[-1:])]


def with_capitals(words: list[str], *, is_written: bool) -> Iterator[str]:
    """Capitalise words that begin a sentence, the first person, and days and months.

    `is_written`: the text has capitals already, which are kept; a lone "i" may be Polish or Italian.
    """
    begins_sentence = True
    for word in words:
        if key(word) in FIRST_PERSON or (key(word) == "i" and not is_written):
            yield _with_capital_i(word)
        else:
            is_name = key(word) in CALENDAR_NAMES and not is_written
            yield capitalised(word) if begins_sentence or is_name else word
        begins_sentence = ends_sentence(word)


def _with_full_stop(word: str) -> str:
    """Add a full stop to a number, or a word of a script with capitals; other scripts have other stops."""
    takes_full_stop = any(letter.isdigit() or letter.lower() != letter.upper() for letter in word)
    return with_stop(word) if takes_full_stop else word


def _with_capital_i(word: str) -> str:
    position = len(opening(word))
    return word[:position] + "I" + word[position + 1 :]
