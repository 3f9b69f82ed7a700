"""High-pass filter: removes what lies below voices, such as direct current, rumble and mains hum."""

from collections.abc import Iterable, Iterator

import numpy as np

from adapters.speech.sound.blocks import SAMPLE_RATE, Block

_WIDTH = SAMPLE_RATE // 140
"""Samples of a moving average. Twice the average, taken from the sound, leaves half the power at 78 Hz, an
eighth at 50 Hz and nothing at 0 Hz; the deepest voices begin at 80 Hz."""
_REACH = _WIDTH - 1  # samples before and after a sample that two averages need


def high_passed(blocks: Iterable[Block]) -> Iterator[Block]:
    """Filter each channel, without delay and without an edge where the recording begins or ends."""
    kept: Block | None = None
    for block in blocks:
        kept = np.repeat(block[:, :1], _REACH, axis=1) if kept is None else kept
        kept = np.concatenate((kept, block), axis=1)
        yield _filtered(kept)
        kept = kept[:, -2 * _REACH :]
    if kept is not None:
        yield _filtered(np.concatenate((kept, np.repeat(kept[:, -1:], _REACH, axis=1)), axis=1))


def _filtered(sound: Block) -> Block:
    """Filter all samples but the first and last `_REACH` ones."""
    if sound.shape[1] <= 2 * _REACH:
        return sound[:, :0]
    slow = _averages(_averages(sound.astype(np.float64)))
    return (sound[:, _REACH:-_REACH] - slow).astype(np.float32)


def _averages(sound: "np.typing.NDArray[np.float64]") -> "np.typing.NDArray[np.float64]":
    sums = np.cumsum(np.pad(sound, ((0, 0), (1, 0))), axis=1)
    averages: np.typing.NDArray[np.float64] = (sums[:, _WIDTH:] - sums[:, :-_WIDTH]) / _WIDTH
    return averages
