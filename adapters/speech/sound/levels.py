"""Loudness of short frames, in decibels of full scale, and what it says of noise and speech."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from adapters.speech.sound.blocks import Block

Levels = npt.NDArray[np.float64]
"""Power of each frame of 30 ms, in decibels of full scale."""

SILENCE = -90.0
"""Decibels of full scale; frames below hold no words, but the noise of 16-bit samples."""

_NOTHING = -120.0  # decibels of full scale; below are digital silence and single bits
_FRAME_SAMPLES = 480
_FLOOR_PERCENT = 10
_DISTINCT_DECIBELS = 10.0  # above noise; the frames of steady noise differ by a few decibels
_MIN_FRAMES = 3  # fewer are a click
_LOUD_PERCENT = 90
_RANGE_DECIBELS = (
    10.0  # of speech below its loud frames; softer ones do not count, where noise hides them or not
)


class Loudness(NamedTuple):
    """Levels of noise and speech, in decibels of full scale; None where there is none."""

    noise: float | None
    speech: float | None


def frame_levels(samples: Block) -> Levels:
    """Measure the frames of one channel; the last one may be short."""
    whole = len(samples) // _FRAME_SAMPLES * _FRAME_SAMPLES
    powers = np.square(samples[:whole].reshape(-1, _FRAME_SAMPLES)).mean(axis=1, dtype=np.float64)
    rest = samples[whole:]
    if not whole and rest.size:
        powers = np.square(rest).mean(keepdims=True, dtype=np.float64)
    levels: Levels = 10 * np.log10(powers + 1e-20)
    return levels


def loudness(levels: Levels) -> Loudness:
    """Tell noise from speech: noise is what the quietest frames hold, speech stands out of it."""
    heard = levels[levels > _NOTHING]
    if not heard.size:
        return Loudness(None, None)
    noise = float(np.percentile(heard, _FLOOR_PERCENT))
    distinct = heard[heard > max(noise + _DISTINCT_DECIBELS, SILENCE)]
    return Loudness(noise, _loud(distinct) if distinct.size >= _MIN_FRAMES else None)


def _loud(levels: Levels) -> float:
    """Return the usual level of the louder frames, on which neither soft ones nor a slamming door count."""
    softest = np.percentile(levels, _LOUD_PERCENT) - _RANGE_DECIBELS
    return float(np.median(levels[levels > softest]))


def is_audible(block: Block) -> bool:
    """Check for sound in any channel of a block."""
    return any(bool((frame_levels(channel) > SILENCE).any()) for channel in block)
