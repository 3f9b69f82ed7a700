"""Cues: what stands on the screen at a time, at most two lines, one after another."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from domain.model.transcripts import Segment, Transcript
from domain.services.subtitles.tokens import LINE_LENGTH, Token, milliseconds, pieces_of, tokens_of

MAX_MILLISECONDS = 7_000
"""Longest time of a cue."""
FRAME_MILLISECONDS = 40
"""Shortest time of a cue: players may not show a shorter one at all."""
READABLE_MILLISECONDS = 1_000
"""Time of a cue that can be read; a shorter one gets it where the next one leaves room."""
PAUSE_MILLISECONDS = 1_500
"""Silence between two words that stand in different cues."""

_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")  # noqa: RUF001 - those of other scripts
_CLAUSE_ENDS = (",", ";", ":", "、", "，")  # noqa: RUF001 - likewise


class Cue(NamedTuple):
    """Lines of one voice on the screen."""

    start: int  # milliseconds from the beginning of the recording, as `end`
    end: int
    lines: tuple[str, ...]  # one or two
    voice: str | None = None  # name of its speaker, channel or track; None where there is but one

    @property
    def length(self) -> int:
        """Count the characters."""
        return sum(map(len, self.lines))


class _Stretch(NamedTuple):
    """Words of one voice without a break."""

    voice: str | None
    tokens: Sequence[Token]


def cues_of(transcript: Transcript, *, with_labels: bool = False) -> list[Cue]:
    """Cut a transcript into cues that do not overlap, in the order of their starts.

    `with_labels`: the text names the voice where another one begins, for formats that have no place for it.
    """
    stretches = list(_stretches(transcript.segments))
    if with_labels:
        stretches = list(_labelled(stretches))
    cues = [_cue(part, stretch.voice) for stretch in stretches for part in _cut(stretch.tokens)]
    apart = list(_taken_apart(sorted(cues, key=lambda cue: cue.start)))
    return list(_lengthened(apart, transcript.duration_seconds))


def _stretches(segments: Sequence[Segment]) -> list[_Stretch]:
    starts = sorted(milliseconds(segment.start) for segment in segments)
    stretches = [
        _Stretch(_voice(segment), tokens)
        for segment in segments
        for tokens in _without_breaks(list(tokens_of(segment)), starts)
    ]
    return sorted(stretches, key=lambda stretch: stretch.tokens[0].start)


def _voice(segment: Segment) -> str | None:
    """Name the voice of a segment by what tells it from others."""
    track = None if segment.track is None else f"Track {segment.track}"
    channel = None if segment.channel is None else f"Channel {segment.channel}"
    speaker = " ".join(text for _, text in pieces_of(segment.speaker or ""))
    return ", ".join(part for part in (track, channel, speaker) if part) or None


def _without_breaks(tokens: Sequence[Token], starts: Sequence[int]) -> Iterator[Sequence[Token]]:
    """Cut where the voice pauses, and where another voice begins (`starts` of all segments)."""
    begin = 0
    for number, (before, after) in enumerate(pairwise(tokens), start=1):
        is_interrupted = bisect_right(starts, before.start) != bisect_right(starts, after.start)
        if is_interrupted or after.start - before.end >= PAUSE_MILLISECONDS:
            yield tokens[begin:number]
            begin = number
    if tokens:
        yield tokens[begin:]


def _labelled(stretches: Sequence[_Stretch]) -> Iterator[_Stretch]:
    latest: str | None = None
    for voice, tokens in stretches:
        is_other = voice not in {None, latest}
        latest = voice
        yield (
            _Stretch(voice, [*_label(f"{voice}:", tokens[0]), *tokens])
            if is_other
            else _Stretch(voice, tokens)
        )


def _label(text: str, first: Token) -> Iterator[Token]:
    return (Token(piece, gap, first.start, first.start) for gap, piece in pieces_of(text))


def _cut(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Cut to what fits into a cue, rather at the end of a sentence or clause than within one."""
    while tokens:
        count = _fitting(tokens)
        if count < len(tokens):
            count = _good_end(tokens[:count])
        yield tokens[:count]
        tokens = tokens[count:]


def _fitting(tokens: Sequence[Token]) -> int:
    """Count the tokens that fit into a cue, at least one."""
    count = 1
    while count < len(tokens) and _fits(tokens[: count + 1]):
        count += 1
    return count


def _fits(tokens: Sequence[Token]) -> bool:
    return tokens[-1].end - tokens[0].start <= MAX_MILLISECONDS and bool(_lines(tokens))


def _good_end(tokens: Sequence[Token]) -> int:
    """Find a place to cut in the second half: behind a sentence, else behind a clause, else at the end."""
    for ends in (_SENTENCE_ENDS, _CLAUSE_ENDS):
        for count in range(len(tokens), len(tokens) // 2, -1):
            if tokens[count - 1].text.endswith(ends):
                return count
    return len(tokens)


def _lines(tokens: Sequence[Token]) -> tuple[str, ...]:
    """Break a text into at most two lines, as evenly as possible; none where it does not fit."""
    whole = _text(tokens)
    if len(whole) <= LINE_LENGTH:
        return (whole,)
    breaks = ((_text(tokens[:count]), _text(tokens[count:])) for count in range(1, len(tokens)))
    fitting = [lines for lines in breaks if max(map(len, lines)) <= LINE_LENGTH]
    return min(fitting, key=lambda lines: abs(len(lines[0]) - len(lines[1])), default=())


def _text(tokens: Sequence[Token]) -> str:
    return "".join(token.gap + token.text for token in tokens).lstrip()


def _cue(tokens: Sequence[Token], voice: str | None) -> Cue:
    start = tokens[0].start
    return Cue(start, min(tokens[-1].end, start + MAX_MILLISECONDS), _lines(tokens), voice)


def _taken_apart(cues: Sequence[Cue]) -> Iterator[Cue]:
    """End each cue where the next one begins; of those that begin together, the first is readable first."""
    free_from = 0
    for cue, following in zip(cues, [*cues[1:], None], strict=False):
        start = max(cue.start, free_from)
        end = max(cue.end, start)
        if following is not None:
            end = min(end, _handover(start, end, cue, following))
        free_from = max(end, start + FRAME_MILLISECONDS)
        yield cue._replace(start=start, end=free_from)


def _handover(start: int, end: int, cue: Cue, following: Cue) -> int:
    """Choose the moment at which a cue gives way to one that begins before its end."""
    share = (max(end, following.end) - start) * cue.length // (cue.length + following.length)
    return max(following.start, start + min(share, READABLE_MILLISECONDS))


def _lengthened(cues: Sequence[Cue], duration_seconds: float) -> Iterator[Cue]:
    """Let short cues stand until they can be read, where nothing follows at once."""
    limits = [*(cue.start for cue in cues[1:]), milliseconds(duration_seconds)]
    for cue, limit in zip(cues, limits, strict=False):
        yield cue._replace(end=max(cue.end, min(cue.start + READABLE_MILLISECONDS, limit)))
