"""Units: stretches of speech of 12 to 28 s, cut in the longest pause; none is longer than 30 s.

Whisper always works on 30 s: shorter units cost more processor time for each second of sound. Units do not
overlap, and all speech is in one of them.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from adapters.speech.cutting.voice_activity import FRAME_SAMPLES, Frame
from domain.model.speech import BYTES_PER_SAMPLE, SAMPLE_RATE, SPEECH_THRESHOLD, SpeechUnit

_HYSTERESIS = 0.15
_FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE


def _frames(seconds: float) -> int:
    return round(seconds / _FRAME_SECONDS)


MIN_UNIT, USUAL_UNIT = _frames(12.0), _frames(28.0)
"""Length between which a unit is cut."""

PADDING = _frames(0.25)
"""Sound kept before and behind speech: voices rise and fade."""
ENDING_PAUSE = _frames(2.0)
"""Silence that ends a unit of at least `MIN_UNIT`."""
BREAK = _frames(8.0)
"""Silence that ends any unit: the engine does not work on it."""
MIN_SPEECH = _frames(0.1)
"""Speech in a unit below which it is a click."""
MIN_PAUSE = _frames(0.2)
"""Silence in which a unit is cut rather than in sound."""
_SEARCHED = _frames(3.0)  # end of a unit without a pause, in which its quietest moment is looked for


class _Kept(NamedTuple):
    samples: bytes
    is_speech: bool


def speech_units(frames: Iterable[Frame], threshold: float = SPEECH_THRESHOLD) -> Iterator[SpeechUnit]:
    """Cut the frames of one voice, from its beginning, into units in the order of their starts."""
    cutter = _Cutter()
    is_speech = False
    for frame in frames:
        is_speech = frame.probability >= threshold - (_HYSTERESIS if is_speech else 0.0)
        yield from cutter.feed(_Kept(frame.samples, is_speech))
    yield from cutter.finish()


class _Cutter:
    """Keeps the frames since the last cut; all positions and lengths are in frames."""

    def __init__(self) -> None:
        self._kept: list[_Kept] = []
        self._first = 0  # position of the first kept frame in the recording
        self._silence = 0  # kept frames since the last speech
        self._is_continued = False  # the last cut was made in speech, which goes on in the first kept frame

    def feed(self, frame: _Kept) -> Iterator[SpeechUnit]:
        self._kept.append(frame)
        self._silence = 0 if frame.is_speech else self._silence + 1
        if self._silence == len(self._kept):
            self._forget(len(self._kept) - PADDING)
        elif self._silence >= (ENDING_PAUSE if self._spoken_length() >= MIN_UNIT else BREAK):
            yield from self._cut(self._spoken_length())
        elif len(self._kept) - self._silence >= USUAL_UNIT:
            yield from self._cut(self._best_cut())

    def finish(self) -> Iterator[SpeechUnit]:
        """Cut what is left, where it holds speech."""
        if self._silence < len(self._kept):
            yield from self._cut(self._spoken_length())

    def _spoken_length(self) -> int:
        """Count the kept frames up to the end of the speech, with its padding."""
        return len(self._kept) - max(self._silence - PADDING, 0)

    def _best_cut(self) -> int:
        """Choose the longest pause between 12 and 28 s, else the quietest moment at the end."""
        pauses = [
            pause for pause in self._pauses() if pause[1] - pause[0] >= MIN_PAUSE and pause[0] >= MIN_UNIT
        ]
        if pauses:
            start, end = max(pauses, key=lambda pause: pause[1] - pause[0])
            return start + min((end - start) // 2, PADDING)
        levels = [_power(frame.samples) for frame in self._kept[USUAL_UNIT - _SEARCHED : USUAL_UNIT]]
        return USUAL_UNIT - _SEARCHED + int(np.argmin(levels))

    def _pauses(self) -> Iterator[tuple[int, int]]:
        start = None
        for position, frame in enumerate(self._kept):
            if frame.is_speech and start is not None:
                yield start, position
            start = None if frame.is_speech else position if start is None else start

    def _cut(self, length: int) -> Iterator[SpeechUnit]:
        taken = self._kept[:length]
        if self._is_continued or sum(frame.is_speech for frame in taken) >= MIN_SPEECH:
            yield SpeechUnit(
                start=self._first * FRAME_SAMPLES,
                samples=b"".join(frame.samples for frame in taken),
                speech=tuple(_speech(taken)),
            )
        self._forget(length)
        leading = next((at for at, frame in enumerate(self._kept) if frame.is_speech), len(self._kept))
        self._is_continued = taken[-1].is_speech and leading == 0 < len(self._kept)
        self._forget(leading - PADDING)

    def _forget(self, count: int) -> None:
        if count > 0:
            del self._kept[:count]
            self._first += count
            self._silence = min(self._silence, len(self._kept))


def _speech(frames: list[_Kept]) -> Iterator[tuple[int, int]]:
    start = end = 0
    for frame in frames:
        if frame.is_speech:
            end += len(frame.samples) // BYTES_PER_SAMPLE
        else:
            if end > start:
                yield start, end
            start = end = end + len(frame.samples) // BYTES_PER_SAMPLE
    if end > start:
        yield start, end


def _power(samples: bytes) -> float:
    sound = np.frombuffer(samples, "<i2").astype(np.float64)
    return float(sound @ sound) / max(len(sound), 1)
