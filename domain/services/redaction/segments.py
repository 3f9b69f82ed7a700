"""Segments without personal data: texts with markers, and words that line up with them."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from domain.model.personal_data import PersonalData
from domain.model.speech import HeardSegment, HeardWord
from domain.model.transcripts import Segment, Word
from domain.services.redaction.alignment import Place, places_of

AnySegment = TypeVar("AnySegment", Segment, HeardSegment)
AnyWord = TypeVar("AnyWord", Word, HeardWord)

Find = Callable[[str], Sequence[PersonalData]]


def redacted(segments: Sequence[AnySegment], find: Find) -> list[AnySegment]:
    """Redact the segments of one voice; what spans several leaves a marker in each."""
    texts = [segment.text for segment in segments]
    shares = _shares(find(" ".join(texts)), map(len, texts))
    return [_redacted(segment, found, find) for segment, found in zip(segments, shares, strict=True)]


def with_markers(text: str, found: Iterable[PersonalData]) -> str:
    """Replace what was found in a text."""
    parts, behind = [], 0
    for each in found:
        parts += [text[behind : each.start], each.kind.marker]
        behind = each.end
    return "".join([*parts, text[behind:]])


def _shares(found: Sequence[PersonalData], lengths: Iterable[int]) -> Iterator[list[PersonalData]]:
    """Share what was found in a joined text among its parts, with places in each."""
    first = begin = 0
    for length in lengths:
        end, share = begin + length, []
        while first < len(found) and found[first].end <= begin:
            first += 1
        last = first
        while last < len(found) and found[last].start < end:
            start, stop, kind = found[last]
            share.append(PersonalData(max(start - begin, 0), min(stop - begin, length), kind))
            last += 1
        yield [each for each in share if each.start < each.end]
        begin = end + 1


def _redacted(segment: AnySegment, found: Sequence[PersonalData], find: Find) -> AnySegment:
    if not found and (_is_aligned(segment) or not find(" ".join(word.text for word in segment.words))):
        return segment
    places = places_of(segment.words, segment.text) if found else None
    if places is None:  # nothing tells which of the words are personal data
        return segment.model_copy(update={"text": with_markers(segment.text, found), "words": ()})
    groups = _groups(found, places)
    text = with_markers(segment.text, (group.data for group in groups))
    words = tuple(_merged(segment.words, places, groups))
    return segment.model_copy(update={"text": text, "words": words})


def _is_aligned(segment: Segment | HeardSegment) -> bool:
    """Check, fast, that the words are those of the text."""
    words = "".join(word.text for word in segment.words)
    return not words or "".join(words.split()) == "".join(segment.text.split())


class _Group(NamedTuple):
    """Words that are personal data together."""

    first: int  # number of the first one
    behind: int
    data: PersonalData  # their characters in the text


def _groups(found: Iterable[PersonalData], places: Sequence[Place]) -> list[_Group]:
    """Widen what was found to whole words; what shares a word becomes one."""
    starts, ends = [place.start for place in places], [place.end for place in places]
    groups: list[_Group] = []
    for start, end, kind in found:
        first, behind = bisect_right(ends, start), bisect_left(starts, end)
        begin, stop = min([start, *starts[first:behind]]), max([end, *ends[first:behind]])
        if groups and (first < groups[-1].behind or begin < groups[-1].data.end):
            last = groups.pop()
            first, begin, kind = last.first, last.data.start, last.data.kind  # noqa: PLW2901 - it grows
            behind, stop = max(behind, last.behind), max(stop, last.data.end)
        groups.append(_Group(first, max(first, behind), PersonalData(begin, stop, kind)))
    return groups


def _merged(words: Sequence[AnyWord], places: Sequence[Place], groups: Iterable[_Group]) -> Iterator[AnyWord]:
    """Replace each group by one word, from the start of its first to the end of its last."""
    behind = 0
    for group in groups:
        yield from words[behind : group.first]
        if group.first < group.behind:
            first, last = words[group.first], words[group.behind - 1]
            before = places[group.first].start - group.data.start  # characters of the word that are personal
            after = group.data.end - places[group.behind - 1].end
            text = _lead(first.text, before) + group.data.kind.marker + _tail(last.text, after)
            yield first.model_copy(update={"end": last.end, "text": text, "confidence": None})
        behind = group.behind
    yield from words[behind:]


def _lead(word: str, personal: int) -> str:
    """Return the punctuation in front of a word, without the part of it that is personal."""
    size = next((place for place, character in enumerate(word) if character.isalnum()), 0)
    return word[: max(size - personal, 0)]


def _tail(word: str, personal: int) -> str:
    """Return the punctuation behind a word, likewise."""
    return _lead(word[::-1], personal)[::-1]
