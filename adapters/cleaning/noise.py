"""Noise in a recogniser's output: tags, dictionary suffixes, hesitations."""

import re

from adapters.cleaning.vocabulary import NOISE_NAMES
from adapters.cleaning.words import DASHES, PAUSES, STOPS, body_and_marks, is_number, with_marks

_GAP = re.compile(r"[^\S\u00a0\u202f]+")
"""White space, except the no-break spaces that French sets before "!" and in its numbers."""

_CONTROL_TAG = re.compile(r"</?s>|<\|[^|<>\s]{0,32}\|>", re.IGNORECASE)
"""Marks of an utterance's beginning and end, and control tokens of models: "<s>", "<|en|>"."""

_NAMED_TAG = re.compile(r"<([\w-]{1,32})>|\[([\w-]{1,32})\]|\+\+([\w-]{1,32})\+\+")
"""Candidate for a noise tag; its length is bounded, so that no text makes the search slow."""

_PRONUNCIATION = re.compile(r"([a-z'.-]+|[A-Z'.-]+)(?:\(\d\))+")
"""Second pronunciation of a dictionary, "the(2)"; digits or mixed case before the bracket are real text."""

_HESITATION = re.compile(r"u+m+|u+h+m*|er|er+m+|h+m+|m{2,}|m+h+m+", re.IGNORECASE)
"""Um, uh, uhm, er, erm, hm, mm and mhm of any length; not "ah", "oh", "huh", "err" or "uh-huh"."""

_ACRONYMS = frozenset({"ER", "MM"})
"""Acronyms in capitals, hesitations otherwise."""


def spoken_words(text: str) -> list[str]:
    """Split one segment into words with their punctuation, without tags, suffixes and hesitations."""
    tokens = _GAP.split(_NAMED_TAG.sub(_unless_noise, _CONTROL_TAG.sub(" ", text)))
    words = _with_detached_marks([token for token in tokens if token.strip()])
    return _without_hesitations([_without_suffix(word) for word in words])


def _unless_noise(tag: re.Match[str]) -> str:
    name = tag[tag.lastindex or 0]
    return " " if name.lower() in NOISE_NAMES or _HESITATION.fullmatch(name) else tag[0]


def _with_detached_marks(tokens: list[str]) -> list[str]:
    """Attach detached marks, as in "hello , world .", to the words before; drop a mark without a word."""
    words: list[str] = []
    for token in tokens:
        if token.strip(STOPS + ",;"):
            words.append(token)
        elif words:
            words[-1] = with_marks(words[-1], token)
    return words


def _without_suffix(word: str) -> str:
    stem = word.rstrip(STOPS + PAUSES)
    suffixed = _PRONUNCIATION.fullmatch(stem)
    return suffixed[1] + word[len(stem) :] if suffixed else word


def _without_hesitations(words: list[str]) -> list[str]:
    """Remove hesitations; the stop behind one moves to the word before."""
    kept: list[str] = []
    for word in words:
        if not _is_hesitation(word) or _is_unit(word, kept):
            kept.append(word)
        elif kept and body_and_marks(word)[1] in {".", "!", "?"}:
            kept[-1] = with_marks(kept[-1], word[-1])
    return kept


def _is_hesitation(word: str) -> bool:
    bare = word.rstrip(STOPS + PAUSES + DASHES + "-")
    return bare not in _ACRONYMS and _HESITATION.fullmatch(bare) is not None


def _is_unit(word: str, before: list[str]) -> bool:
    """Check that "mm" means millimetres: a number is right before it."""
    if not before or body_and_marks(word)[0] != "mm":
        return False
    count, marks = body_and_marks(before[-1])
    return is_number(count) and not marks
