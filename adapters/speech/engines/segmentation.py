"""Segmentation: finds speech in a recording; without it, an engine recognises words in silence."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from pocketsphinx import Endpointer

from adapters.speech.sound.blocks import BYTES_PER_SAMPLE, SAMPLE_RATE

FRAME_BYTES = 960
"""Frame of the voice activity detector, 30 ms."""

PADDING_SECONDS = 0.1
"""Sound added before an utterance, so that no consonant is lost."""
TRAILING_SECONDS = 0.2
"""Sound added behind an utterance, where words fade."""

MAX_UTTERANCE_SECONDS = 20.0
"""Longest utterance, longer speech is cut: recognition keeps an utterance in memory, and reports after it."""

_SILENCE_FRAMES = 20  # behind a recording, in which the detector notices the end of its last word

_LATEST_CUT_SHARE = 0.5  # share of the longest utterance behind which the cut is searched
_QUIET_SECONDS = 0.1
_KEPT_SECONDS = 1.0  # silence kept: the detector decides with a delay of its window, 0.3 s


class Utterance(NamedTuple):
    """Speech between two pauses."""

    start: float  # seconds from the beginning of the recording, as `end`
    end: float
    samples: bytes  # 16-bit mono at `SAMPLE_RATE`


def utterances(blocks: Iterable[bytes]) -> Iterator[Utterance]:
    """Cut a recording into utterances: in order, without overlap, none longer than `MAX_UTTERANCE_SECONDS`.

    The blocks are 16-bit mono at `SAMPLE_RATE`, of any size.
    """
    cutter = _Cutter()
    for frame in _frames(blocks):
        yield from cutter.feed(frame)
    yield from cutter.finish()


def _frames(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield frames of the detector's size; the last one may be shorter."""
    waiting = bytearray()
    for block in blocks:
        waiting += block
        whole = len(waiting) // FRAME_BYTES * FRAME_BYTES
        for at in range(0, whole, FRAME_BYTES):
            yield bytes(waiting[at : at + FRAME_BYTES])
        del waiting[:whole]
    if waiting:
        yield bytes(waiting)


class _Cutter:
    """Buffers sound and cuts utterances out of it; all positions are in bytes."""

    def __init__(self) -> None:
        self._detector = Endpointer(0.3, 0.9, 2, SAMPLE_RATE, 0.03)
        self._kept = bytearray()
        self._kept_from = 0
        self._cut_to = 0  # where the last utterance ended
        self._start: int | None = None

    def feed(self, frame: bytes) -> Iterator[Utterance]:
        self._kept += frame
        yield from self._heard(frame)
        self._forget()

    def finish(self) -> Iterator[Utterance]:
        """Let the detector hear the silence behind the recording, which ends the last utterance."""
        for _ in range(_SILENCE_FRAMES):
            yield from self._heard(bytes(FRAME_BYTES))
        if self._start is not None:
            yield self._cut(self._heard_to)

    def _heard(self, frame: bytes) -> Iterator[Utterance]:
        self._detector.process(frame.ljust(FRAME_BYTES, b"\0"))
        if self._start is None and self._detector.in_speech:
            self._start = max(_bytes(self._detector.speech_start - PADDING_SECONDS), self._cut_to)
        yield from self._finished()

    def _finished(self) -> Iterator[Utterance]:
        if self._start is None:
            return
        if self._heard_to - self._start > _bytes(MAX_UTTERANCE_SECONDS):
            yield self._cut(self._quietest(self._start))
        if not self._detector.in_speech:
            yield self._cut(min(_bytes(self._detector.speech_end + TRAILING_SECONDS), self._heard_to))
            self._start = None

    @property
    def _heard_to(self) -> int:
        return self._kept_from + len(self._kept)

    def _cut(self, end: int) -> Utterance:
        start = self._cut_to if self._start is None else self._start
        samples = bytes(self._kept[start - self._kept_from : end - self._kept_from])
        self._start = self._cut_to = end
        return Utterance(_seconds(start), _seconds(end), samples)

    def _quietest(self, start: int) -> int:
        """Find the middle of the quietest tenth of a second in the later half of an overlong utterance."""
        offset = start - self._kept_from + _bytes(MAX_UTTERANCE_SECONDS * _LATEST_CUT_SHARE)
        end = start - self._kept_from + _bytes(MAX_UTTERANCE_SECONDS)
        later_half = np.frombuffer(bytes(self._kept[offset:end]), np.int16).astype(np.float64)
        window = int(_QUIET_SECONDS * SAMPLE_RATE)
        energy = np.convolve(later_half**2, np.ones(window), "valid")
        quietest = int(np.argmin(energy)) + window // 2
        return self._kept_from + offset + quietest * BYTES_PER_SAMPLE

    def _forget(self) -> None:
        needed_from = self._heard_to - _bytes(_KEPT_SECONDS) if self._start is None else self._start
        surplus = needed_from - self._kept_from
        if surplus >= _bytes(_KEPT_SECONDS):
            del self._kept[:surplus]
            self._kept_from = needed_from


def _bytes(seconds: float) -> int:
    return max(round(seconds * SAMPLE_RATE), 0) * BYTES_PER_SAMPLE


def _seconds(position: int) -> float:
    return position / BYTES_PER_SAMPLE / SAMPLE_RATE
