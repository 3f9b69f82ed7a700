"""Automatic gain: brings speech of any loudness to one level, and does not raise noise alone."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from adapters.speech.sound.blocks import Block, windows
from adapters.speech.sound.levels import Levels, frame_levels, loudness

SPEECH_DECIBELS = -23.0
"""Level of speech behind the gain, in decibels of full scale; its peaks need the room above."""
NOISE_DECIBELS = -50.0
"""Highest level of noise without speech behind the gain; a voice detector takes louder noise for speech."""

_BLOCKS_BEFORE, _BLOCKS_AFTER = 10, 4
"""Window from which the gain follows: slow enough to leave the loudness of words to each other as it is."""


class _Measured(NamedTuple):
    block: Block
    levels: Levels
    peak: float


class _Gained(NamedTuple):
    block: Block
    gain: float


def levelled(blocks: Iterable[Block]) -> Iterator[Block]:
    """Bring mono blocks to one loudness; no sample exceeds full scale.

    The gain of the quieter block holds at the boundary of two, and changes evenly within each.
    """
    before: float | None = None
    for each, window in windows(_gained(blocks), before=0, after=1):
        after = min(gained.gain for gained in window)
        ramp = np.linspace(after if before is None else before, after, each.block.shape[1], dtype=np.float32)
        yield each.block * ramp
        before = after


def _gained(blocks: Iterable[Block]) -> Iterator[_Gained]:
    measured = (_Measured(block, frame_levels(block[0]), float(np.abs(block).max())) for block in blocks)
    for each, window in windows(measured, before=_BLOCKS_BEFORE, after=_BLOCKS_AFTER):
        yield _Gained(each.block, min(_gain(window), 1 / max(each.peak, 1e-9)))


def _gain(window: Sequence[_Measured]) -> float:
    heard = loudness(np.concatenate([each.levels for each in window]))
    if heard.speech is not None:
        return float(10 ** ((SPEECH_DECIBELS - heard.speech) / 20))
    if heard.noise is not None:
        return float(10 ** (min(0.0, NOISE_DECIBELS - heard.noise) / 20))
    return 1.0
