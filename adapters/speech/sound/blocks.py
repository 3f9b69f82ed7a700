"""Blocks of samples, the unit in which sound is processed, and windows over them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")

Block = npt.NDArray[np.float32]
"""Channels x samples at `SAMPLE_RATE`; full scale is 1, and float recordings may exceed it."""

SAMPLE_RATE = 16_000
"""Sample rate of all sound behind the decoder, in hertz."""
BYTES_PER_SAMPLE = 2
"""Size of a sample as an engine hears it: signed 16 bits."""
BLOCK_SAMPLES = 15_360
"""Samples in a block, 0.96 s."""

_FULL_SCALE = 32_767


def in_blocks(pieces: Iterable[Block]) -> Iterator[Block]:
    """Cut pieces of any length into blocks of `BLOCK_SAMPLES`; only the last one is shorter."""
    waiting: list[Block] = []
    for piece in pieces:
        waiting.append(piece)
        if sum(part.shape[1] for part in waiting) >= BLOCK_SAMPLES:
            joined = np.concatenate(waiting, axis=1)
            whole = joined.shape[1] // BLOCK_SAMPLES * BLOCK_SAMPLES
            for at in range(0, whole, BLOCK_SAMPLES):
                yield joined[:, at : at + BLOCK_SAMPLES]
            waiting = [joined[:, whole:]]
    rest = np.concatenate(waiting, axis=1) if waiting else np.empty((1, 0), np.float32)
    if rest.shape[1]:
        yield rest


def windows(items: Iterable[T], *, before: int, after: int) -> Iterator[tuple[T, Sequence[T]]]:
    """Yield each item together with itself and its neighbours, at most so many before and after it."""
    window: list[T] = []
    at = 0
    for item in items:
        window.append(item)
        if len(window) > at + after:
            yield window[at], window
            at += 1
            del window[: max(at - before, 0)]
            at = min(at, before)
    for position in range(at, len(window)):
        yield window[position], window[max(position - before, 0) :]


def as_pcm(blocks: Iterable[Block]) -> Iterator[bytes]:
    """Convert mono blocks to signed 16-bit samples, as engines hear them; clip what is beyond full scale."""
    for block in blocks:
        yield (block[0] * _FULL_SCALE).round().clip(-_FULL_SCALE, _FULL_SCALE).astype("<i2").tobytes()
