"""Peaks of a waveform, in constant memory although the length of the sound is unknown."""

import numpy as np
import numpy.typing as npt

from adapters.speech.playback.pieces import MAX_PAIRS

Samples = npt.NDArray[np.float32]

_FIRST_SIZE = 240
"""Samples of a pair until there are too many pairs."""
_FULL_SCALE = 127


class Peaks:
    """Collects the lowest and highest sample of equal stretches; full, it joins each two neighbours."""

    def __init__(self) -> None:
        self._size = _FIRST_SIZE
        self._count = 0  # pairs so far
        self._pairs = np.zeros((MAX_PAIRS, 2), np.float32)
        self._rest = np.empty(0, np.float32)  # fewer samples than a pair has

    def add(self, samples: Samples) -> None:
        """Add the samples that follow, mono."""
        rest = np.concatenate((self._rest, samples))
        while whole := min(len(rest) // self._size, MAX_PAIRS - self._count):
            end = whole * self._size
            stretches = rest[:end].reshape(whole, self._size)
            self._pairs[self._count : self._count + whole] = _bounds(stretches)
            self._count += whole
            rest = rest[end:]
            if self._count == MAX_PAIRS:
                self._fold()
        self._rest = rest

    def pairs(self) -> tuple[int, ...]:
        """Return lowest and highest of each stretch in turn, -128 to 127; the last stretch may be short."""
        found = self._pairs[: self._count]
        if len(self._rest):
            found = np.concatenate((found, _bounds(self._rest.reshape(1, -1))))
        rounded = (found * _FULL_SCALE).round().clip(-_FULL_SCALE, _FULL_SCALE)
        return tuple(int(each) for each in rounded.ravel())

    def _fold(self) -> None:
        neighbours = self._pairs.reshape(-1, 2, 2)
        half = MAX_PAIRS // 2
        self._pairs[:half] = np.stack((neighbours[:, :, 0].min(axis=1), neighbours[:, :, 1].max(axis=1)), 1)
        self._count, self._size = half, 2 * self._size


def _bounds(stretches: Samples) -> Samples:
    return np.stack((stretches.min(axis=1), stretches.max(axis=1)), axis=1)
