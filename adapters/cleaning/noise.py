"""Noise in a recogniser's output: tags, dictionary suffixes, hesitations."""

import re
from collections.abc import Iterator, Sequence
from functools import partial

from adapters.cleaning.disfluencies import without_repeats, without_stammer
from adapters.cleaning.vocabulary import NOISE_NAMES, NOISE_QUALIFIERS
from adapters.cleaning.words import DASHES, PAUSES, STOPS, body_and_marks, is_number, key, with_marks

_GAP = re.compile(r"[^\S\u00a0\u202f]+")
"""White space, except the no-break spaces that French sets before "!" and in its numbers."""

_NEXT_SEGMENT = "\x1e"
"""Separator of segments: tags may begin in one and end in the next."""

_CONTROL_TAG = re.compile(r"</?s>|<\|[^|<>\s]{0,32}\|>", re.IGNORECASE)
"""Marks of an utterance's beginning and end, and control tokens of models: "<s>", "<|en|>"."""

_NOTES = re.compile("[♩♪♫♬🎵🎶🎼]")
"""Marks of sung words, which stay."""

_NAMED_TAG = re.compile(
    r"<([\w-]{1,32})>|\+\+([\w-]{1,32})\+\+"
    r"|\[([^][()<>*]{1,64})\]|\(([^][()<>*]{1,64})\)|\*{1,2}([^][()<>*]{1,64})\*{1,2}"
)
"""Candidate for a noise tag, without others inside; bounded, so that no text makes the search slow."""

_MAX_NESTING = 4
"""Depth of noise tags within each other, such as "([music])", that is recognised."""

_PRONUNCIATION = re.compile(r"([a-z'.-]+|[A-Z'.-]+)(?:\(\d\))+")
"""Second pronunciation of a dictionary, "the(2)"; digits or mixed case before the bracket are real text."""

_HESITATION = re.compile(r"u+m+|u+h+m*|er|er+m+|h+m+|m{2,}|m+h+m+", re.IGNORECASE)
"""Um, uh, uhm, er, erm, hm, mm and mhm of any length; not "ah", "oh", "huh", "err" or "uh-huh"."""

_HESITATION_ELSEWHERE = re.compile(r"u+h+m+|h+m+|m{2,}|m+h+m+|ä+h*m*|ö+h*m+|e+uh+|e+h+m+", re.IGNORECASE)
"""Uhm, hm, mm, mhm, äh, ähm, öhm, euh and ehm: in German, "um" and "er" are words."""

_ACRONYMS = frozenset({"ER", "MM"})
"""Acronyms in capitals, hesitations otherwise."""


def spoken_words(texts: Sequence[str], language: str | None = None) -> Iterator[list[str]]:
    """Split segments into words with their punctuation, without tags, suffixes and hesitations.

    Yields a list for each segment. `language` is a code; None counts as English.
    """
    joined = _NEXT_SEGMENT.join(text.replace(_NEXT_SEGMENT, " ") for text in texts)
    segments = _without_tags(joined, language).split(_NEXT_SEGMENT) if texts else []
    for text in segments:
        yield _words(text, language)


def _words(text: str, language: str | None) -> list[str]:
    words = _with_detached_marks([token for token in _GAP.split(text) if token.strip()])
    return _without_hesitations([without_stammer(_without_suffix(word)) for word in words], language)


def _without_tags(text: str, language: str | None) -> str:
    text = _NOTES.sub(" ", _CONTROL_TAG.sub(" ", text))
    for _ in range(_MAX_NESTING):
        before, text = text, _NAMED_TAG.sub(partial(_unless_noise, language=language), text)
        if text == before:
            break
    return text


def _unless_noise(tag: re.Match[str], *, language: str | None) -> str:
    if not _is_noise(tag[tag.lastindex or 0], language):
        return tag[0]
    return f" {_NEXT_SEGMENT * tag[0].count(_NEXT_SEGMENT)} "


def _is_noise(name: str, language: str | None) -> bool:
    """Check that a tag's words name a noise; hesitations do not count, and none are as good."""
    names = {key(word) for word in without_repeats(_words(name, language))}
    return not names or (not names.isdisjoint(NOISE_NAMES) and names <= NOISE_NAMES | NOISE_QUALIFIERS)


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


def _without_hesitations(words: list[str], language: str | None) -> list[str]:
    """Remove hesitations; the stop behind one moves to the word before."""
    kept: list[str] = []
    for word in words:
        if not _is_hesitation(word, language) or _is_unit(word, kept):
            kept.append(word)
        elif kept and body_and_marks(word)[1] in {".", "!", "?"}:
            kept[-1] = with_marks(kept[-1], word[-1])
    return kept


def _is_hesitation(word: str, language: str | None) -> bool:
    bare = word.rstrip(STOPS + PAUSES + DASHES + "-")
    return bare not in _ACRONYMS and _pattern(language).fullmatch(bare) is not None


def _pattern(language: str | None) -> re.Pattern[str]:
    return _HESITATION if language in {None, "en"} else _HESITATION_ELSEWHERE


def _is_unit(word: str, before: list[str]) -> bool:
    """Check that "mm" means millimetres: a number is right before it."""
    if not before or body_and_marks(word)[0] != "mm":
        return False
    count, marks = body_and_marks(before[-1])
    return is_number(count) and not marks
