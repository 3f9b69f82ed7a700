"""Loops: phrases that an engine repeats without end, which no speaker does."""

from adapters.cleaning.words import body_and_marks, is_number, key
from domain.model.speech import MAX_PHRASE_WORDS, min_loop_words


def without_loops(words: list[str]) -> list[str]:
    """Reduce each loop to its first phrase, with the punctuation behind the last one.

    Phrases with a number and spelt letters are kept, however often they are repeated. The time is linear.
    """
    keys = [key(word) for word in words]
    kept: list[str] = []
    place = 0
    while place < len(words):
        phrase, end = _run_at(keys, place)
        if end - place > phrase and _is_slip(keys[place : place + phrase]):
            body, marks = body_and_marks(words[place + phrase - 1])[0], body_and_marks(words[end - 1])[1]
            kept += [*words[place : place + phrase - 1], body + marks]
        else:
            kept += words[place:end]
        place = end
    return kept


def _run_at(keys: list[str], start: int) -> tuple[int, int]:
    """Return the length of the phrase whose loop begins here, and the end of the loop; else of one word."""
    for length in range(1, MAX_PHRASE_WORDS + 1):
        end = _end(keys, start, length)
        if end - start >= min_loop_words(length):
            return length, end
    return 1, start + 1


def _end(keys: list[str], start: int, length: int) -> int:
    phrase, end = keys[start : start + length], start + length
    while keys[end : end + length] == phrase:
        end += length
    return min(end, len(keys))


def _is_slip(phrase: list[str]) -> bool:
    """Tell a loop from what people spell and count: a word of more than a letter, and no number."""
    return any(len(word) > 1 for word in phrase) and not any(map(is_number, phrase))
