"""Mixing of channels: those that carry speech are added, unless they cancel each other out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adapters.speech.sound.blocks import SAMPLE_RATE, Block, windows
from adapters.speech.sound.levels import Levels, frame_levels, loudness

Weights = npt.NDArray[np.float32]

_BLOCKS_BEFORE, _BLOCKS_AFTER = 10, 3
"""Window in which a channel must speak to be mixed: it joins before its first word and stays a while."""

_FAR_QUIETER = 0.25
"""Power of a mix beside that of its loudest channel; channels of opposite polarity leave less."""

_FADE_SAMPLES = SAMPLE_RATE // 50


class _Measured(NamedTuple):
    block: Block
    levels: tuple[Levels, ...]  # of each channel


def mixed(blocks: Iterable[Block]) -> Iterator[Block]:
    """Mix the channels of each block to one."""
    mixer = _Mixer()
    measured = (_Measured(block, tuple(map(frame_levels, block))) for block in blocks)
    for each, window in windows(measured, before=_BLOCKS_BEFORE, after=_BLOCKS_AFTER):
        yield mixer.mix(each.block, window)


class _Mixer:
    """Keeps the weights of the channels from block to block, and fades where they change."""

    def __init__(self) -> None:
        self._speaking: Weights | None = None
        self._weights: Weights | None = None

    def mix(self, block: Block, window: Sequence[_Measured]) -> Block:
        self._speaking = _speaking(window, self._speaking)
        weights = _uncancelled(block, self._speaking)
        before = weights if self._weights is None else self._weights
        self._weights = weights
        return _faded(block, before, weights)


def _speaking(window: Sequence[_Measured], before: Weights | None) -> Weights:
    """Weigh channels with speech by one, others by zero; without speech, leave the weights as they were."""
    channels = zip(*(each.levels for each in window), strict=True)
    speak = np.array([loudness(np.concatenate(levels)).speech is not None for levels in channels], np.float32)
    if speak.any():
        return speak
    return np.ones_like(speak) if before is None else before


def _uncancelled(block: Block, weights: Weights) -> Weights:
    """Take the loudest channel alone where the mix is far quieter than it."""
    powers = weights * np.square(block).mean(axis=1)
    if np.square(weights @ block).mean() >= _FAR_QUIETER * powers.max():
        return weights
    alone = np.zeros_like(weights)
    alone[powers.argmax()] = 1
    return alone


def _faded(block: Block, before: Weights, after: Weights) -> Block:
    mix: Block = (after @ block)[np.newaxis]
    if (before != after).any():
        fade = np.linspace(0, 1, min(_FADE_SAMPLES, block.shape[1]), dtype=np.float32)
        start = block[:, : len(fade)]
        mix[0, : len(fade)] = fade * (after @ start) + (1 - fade) * (before @ start)
    return mix
