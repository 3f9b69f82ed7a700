"""Readers of subtitle files that are as strict as the formats, and say what is wrong."""

import html
import re
from typing import NamedTuple

MAX_LINES, MAX_LINE_LENGTH = 2, 42
FRAME, MAX_LENGTH = 40, 7_000
"""Milliseconds."""

VTT_TIMES = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})")
SRT_TIMES = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d),(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d),(\d{3})")
VTT_VOICE = re.compile(r"<v ([^<>\n]+)>")


class Shown(NamedTuple):
    """One cue as a player shows it."""

    start: int  # milliseconds, as `end`
    end: int
    lines: tuple[str, ...]
    voice: str | None = None

    @property
    def text(self) -> str:
        """Return all words."""
        return " ".join(self.lines)


def read_webvtt(document: str) -> list[Shown]:
    """Read WebVTT, and check that it is valid and readable."""
    head, *blocks = document.removesuffix("\n").split("\n\n")
    assert head == "WEBVTT"
    shown = []
    for block in blocks:
        times, *lines = block.split("\n")
        assert "-->" not in "".join(lines), "players take it for the times of a cue"
        voice = VTT_VOICE.match(lines[0])
        lines[0] = lines[0][voice.end() if voice else 0 :]
        assert not any({"<", ">"} & set(line) for line in lines), "only the voice is a tag"
        assert not re.search(r"&(?!amp;|lt;|gt;)", "".join(lines)), "every ampersand is escaped"
        name = html.unescape(voice[1]) if voice else None
        shown.append(Shown(*_span(VTT_TIMES, times), tuple(map(html.unescape, lines)), name))
    return _checked(shown)


def read_subrip(document: str) -> list[Shown]:
    """Read SubRip, and check that it is valid and readable."""
    blocks = document.removesuffix("\n").split("\n\n") if document else []
    shown = []
    for expected, block in enumerate(blocks, start=1):
        number, times, *lines = block.split("\n")
        assert number == str(expected)
        assert "-->" not in "".join(lines), "players take it for the times of a cue"
        shown.append(Shown(*_span(SRT_TIMES, times), tuple(lines)))
    return _checked(shown)


def _span(pattern: re.Pattern[str], line: str) -> tuple[int, int]:
    match = pattern.fullmatch(line)
    assert match, f"no line of times: {line!r}"
    numbers = [int(group) for group in match.groups()]
    start, end = (
        ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths
        for hours, minutes, seconds, thousandths in (numbers[:4], numbers[4:])
    )
    return start, end


def _checked(shown: list[Shown]) -> list[Shown]:
    latest = 0
    for cue in shown:
        assert latest <= cue.start, "cues overlap, or are not in order"
        assert FRAME <= cue.end - cue.start <= MAX_LENGTH
        assert 1 <= len(cue.lines) <= MAX_LINES
        assert all(line.strip() and len(line) <= MAX_LINE_LENGTH for line in cue.lines)
        assert all(len(line.splitlines()) == 1 for line in cue.lines)
        latest = cue.end
    return shown
