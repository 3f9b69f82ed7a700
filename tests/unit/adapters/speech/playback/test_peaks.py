"""Peaks of sounds of any length."""

import numpy as np
import pytest

from adapters.speech.playback.peaks import Peaks, Samples
from adapters.speech.playback.pieces import MAX_PAIRS

RATE = 24_000


def peaks_of(sound: Samples, block: int = 15_360) -> tuple[list[int], list[int]]:
    """Return the lowest and the highest samples."""
    peaks = Peaks()
    for at in range(0, len(sound), block):
        peaks.add(sound[at : at + block])
    found = peaks.pairs()
    return list(found[::2]), list(found[1::2])


def growing(seconds: float) -> Samples:
    """Generate a tone that gets louder from nothing to full scale."""
    moments = np.arange(int(seconds * RATE)) / RATE
    return (moments / seconds * np.sin(2 * np.pi * 440 * moments)).astype(np.float32)


@pytest.mark.parametrize("seconds", [1.0, 19.9, 20.0, 61.3, 600.0])
def test_a_tone_that_gets_louder_has_its_peaks_in_the_right_places(seconds: float) -> None:
    lowest, highest = peaks_of(growing(seconds))

    places = (np.arange(len(highest)) + 0.5) / len(highest)
    assert len(highest) == len(lowest) <= MAX_PAIRS
    assert np.abs(np.array(highest) - 127 * places).max() <= 3
    assert np.abs(np.array(lowest) + 127 * places).max() <= 3


@pytest.mark.parametrize("seconds", [21.0, 60.0, 3_600.0])
def test_a_long_sound_has_a_thousand_pairs_or_more(seconds: float) -> None:
    _, highest = peaks_of(np.zeros(int(seconds * RATE), np.float32))

    assert MAX_PAIRS // 2 <= len(highest) <= MAX_PAIRS


@pytest.mark.parametrize("block", [1, 239, 241, 4_800_000])
def test_the_size_of_the_blocks_does_not_matter(block: int) -> None:
    sound = growing(2.0 if block < 100 else 40.0)

    assert peaks_of(sound, block) == peaks_of(sound)


def test_a_click_stays_visible_among_silence() -> None:
    sound = np.zeros(600 * RATE, np.float32)
    sound[300 * RATE] = -1

    lowest, highest = peaks_of(sound)

    assert min(lowest) == -127
    assert lowest.index(-127) == pytest.approx(len(lowest) / 2, abs=1)
    assert max(highest) == 0


def test_no_sound_has_no_peaks() -> None:
    assert Peaks().pairs() == ()
