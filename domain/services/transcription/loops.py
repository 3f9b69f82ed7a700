"""Loops: a phrase that an engine repeats without end is reduced to its first occurrence."""

from domain.model.speech import MAX_PHRASE_WORDS, HeardSegment, HeardUnit, min_loop_words
from domain.services.transcription.quality import is_counted, words_of


def without_loops(heard: HeardUnit) -> HeardUnit:
    """Keep the first of the phrases that a loop repeats."""
    kept: list[HeardSegment] = []
    for segment in heard.segments:
        if not _is_repeated(segment, kept):
            kept.append(_without_loops(segment))
    return heard.model_copy(update={"segments": tuple(kept)})


def _is_repeated(segment: HeardSegment, before: list[HeardSegment]) -> bool:
    return bool(before) and words_of(before[-1].text) == words_of(segment.text)


def _without_loops(segment: HeardSegment) -> HeardSegment:
    tokens = segment.text.split()
    keep = _kept_positions([" ".join(words_of(token)) for token in tokens])
    if len(keep) == len(tokens):
        return segment
    words = segment.words
    # an engine times each token, or none
    kept_words = tuple(words[position] for position in keep) if len(words) == len(tokens) else ()
    text = " ".join(tokens[position] for position in keep)
    return segment.model_copy(update={"text": text, "words": kept_words})


def _kept_positions(keys: list[str]) -> list[int]:
    """List the positions of tokens that stay, where each loop is reduced to its first phrase."""
    kept = list(range(len(keys)))
    while repetition := _first_repetition([keys[position] for position in kept]):
        del kept[repetition.start : repetition.stop]
    return kept


def _first_repetition(keys: list[str]) -> range:
    """Find a loop, and return the positions behind its first phrase; none without a loop."""
    for length in range(1, MAX_PHRASE_WORDS + 1):
        for start in range(len(keys) - min_loop_words(length) + 1):
            end = _loop_end(keys, start, length)
            if end - start >= min_loop_words(length) and not is_counted(keys[start : start + length]):
                return range(start + length, end)
    return range(0)


def _loop_end(keys: list[str], start: int, length: int) -> int:
    end = start + length
    while keys[end : end + length] == keys[start : start + length]:
        end += length
    return end
