"""High-pass filter: nothing below voices is left, voices stay as they are."""

import numpy as np
import pytest

from adapters.speech.sound.blocks import SAMPLE_RATE, Block
from adapters.speech.sound.highpass import high_passed


def _hum(hertz: float, seconds: float = 2) -> Block:
    moments = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.sin(2 * np.pi * hertz * moments).astype(np.float32)[np.newaxis]


def _filtered(sound: Block, size: int = 15_360) -> Block:
    pieces = (sound[:, at : at + size] for at in range(0, sound.shape[1], size))
    return np.concatenate(list(high_passed(pieces)), axis=1)


def _decibels(sound: Block) -> float:
    middle = sound[0, SAMPLE_RATE // 2 : -SAMPLE_RATE // 2]
    return float(20 * np.log10(middle.std() * np.sqrt(2)))


@pytest.mark.parametrize(("hertz", "least", "most"), [(5, -99, -30), (20, -99, -20), (50, -99, -6)])
def test_rumble_and_hum_are_weakened(hertz: float, least: float, most: float) -> None:
    assert least < _decibels(_filtered(_hum(hertz))) < most


@pytest.mark.parametrize("hertz", [120, 200, 1_000, 7_000])
def test_voices_stay_as_they_are(hertz: float) -> None:
    assert _decibels(_filtered(_hum(hertz))) == pytest.approx(0, abs=1.5)


def test_direct_current_is_removed_from_the_first_sample_on() -> None:
    sound = np.full((1, 20_000), 0.7, np.float32) + 0.001 * _hum(1_000)[:, :20_000]
    assert np.abs(_filtered(sound)).max() < 0.002


@pytest.mark.parametrize("size", [1, 100, 226, 227, 4_000])
def test_the_size_of_the_pieces_does_not_matter(size: int) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 5_000)).astype(np.float32)
    assert np.allclose(_filtered(sound, size), _filtered(sound), atol=1e-6)


@pytest.mark.parametrize("samples", [1, 2, 113, 500])
def test_no_sample_is_lost_of_short_sound(samples: int) -> None:
    sound = np.full((3, samples), 0.5, np.float32)
    assert _filtered(sound).shape == sound.shape
    assert not list(high_passed([]))


def test_a_sound_keeps_its_place_in_time() -> None:
    click = np.zeros((1, 4_000), np.float32)
    click[0, 1_234] = 1
    assert int(_filtered(click).argmax()) == 1_234
