"""Disfluencies: stutters, broken-off words and repeated phrases."""

from adapters.cleaning.vocabulary import STUTTERED
from adapters.cleaning.words import PAUSES, body_and_marks, flows_on, is_number, key, opening

MAX_PHRASE_WORDS = 8
"""Length of the longest phrase whose repetition is recognised."""


def without_stammer(word: str) -> str:
    """Reduce a stammered function word: "I-I" → "I", "th-the" → "the"; "re-read" and "bye-bye" stay."""
    body, marks = body_and_marks(word)
    opened = opening(body)
    *stems, whole = body[len(opened) :].split("-")
    is_stammered = stems and key(whole) in STUTTERED and all(map(str.isalpha, stems))
    if not is_stammered or not all(key(whole).startswith(stem.casefold()) for stem in stems):
        return word
    return opened + whole + marks


def without_repeats(words: list[str]) -> list[str]:
    """Remove repetitions: "i i want to i want to go" → "i want to go".

    Words are appended one by one, and a repetition at the end is removed at once. The result never holds a
    repetition, a second pass changes nothing, and the time is linear.
    """
    said: list[str] = []
    keys: list[str] = []
    for word in words:
        while said and _breaks_off_into(said[-1], word):
            del said[-1], keys[-1]
        said.append(word)
        keys.append(key(word))
        _remove_repeat(said, keys)
    return said


def _remove_repeat(said: list[str], keys: list[str]) -> None:
    """Keep the first of two equal phrases at the end, with the punctuation behind the second."""
    length = _repeated_length(said, keys)
    if length:
        _, marks = body_and_marks(said[-1])
        del said[-length:], keys[-length:]
        said[-1] = body_and_marks(said[-1])[0] + marks


def _repeated_length(said: list[str], keys: list[str]) -> int:
    """Count the last words that repeat the words before them; 0 for none."""
    for length in range(1, min(MAX_PHRASE_WORDS, len(keys) // 2) + 1):
        phrase = keys[-length:]
        if phrase == keys[-2 * length : -length] and _is_slip(phrase) and _is_one_breath(said[-2 * length :]):
            return length
    return 0


def _is_slip(phrase: list[str]) -> bool:
    """Tell an unintended repetition from an intended one: numbers, letters and "no no no no"."""
    if len(phrase) == 1:
        return phrase[0] in STUTTERED
    return len(set(phrase)) > 1 and any(len(word) > 1 for word in phrase) and not any(map(is_number, phrase))


def _is_one_breath(words: list[str]) -> bool:
    """Check that no sentence, quotation or bracket begins or ends within the words."""
    return all(map(flows_on, words[:-1])) and not any(map(opening, words[1:]))


def _breaks_off_into(fragment: str, word: str) -> bool:
    """Check that the fragment is the beginning of the word: "w-" before "what"."""
    bare = fragment.rstrip(PAUSES)
    stem = bare.removesuffix("-")
    is_fragment = stem != bare and stem.isalpha() and not is_number(stem)
    return is_fragment and key(word).startswith(stem.casefold())
