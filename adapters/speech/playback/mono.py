"""Mixing of channels for listeners: the loudness of the recording stays."""

import numpy as np
import numpy.typing as npt

from adapters.speech.sound.blocks import Block

_FAR_QUIETER = 0.25
"""Power of a mix beside that of its loudest channel; channels of opposite polarity leave less."""


def mono(block: Block) -> npt.NDArray[np.float32]:
    """Return the mean of the channels, or the loudest where they cancel each other out; at most 1."""
    mean = block.mean(axis=0)
    powers = np.square(block).mean(axis=1)
    is_cancelled = np.square(mean * len(block)).mean() < _FAR_QUIETER * powers.max()
    mixed: npt.NDArray[np.float32] = block[powers.argmax()] if is_cancelled else mean
    return mixed.clip(-1, 1)
