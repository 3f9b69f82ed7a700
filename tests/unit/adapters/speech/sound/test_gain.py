"""Automatic gain: speech of any loudness comes out equally loud, noise stays below it."""

import numpy as np
import pytest

from adapters.speech.sound.blocks import Block, in_blocks
from adapters.speech.sound.gain import levelled
from adapters.speech.sound.levels import frame_levels, loudness
from tests.support.samples.recordings import SAMPLE_RATE, speech


def _voice(gain: float = 1) -> Block:
    return np.asarray(speech() * (gain / 2**15), np.float32)


def _noise(decibels: float, seconds: float) -> Block:
    level = 10 ** (decibels / 20)
    return np.random.default_rng(0).normal(0, level, int(seconds * SAMPLE_RATE)).astype(np.float32)


def _levelled(*sound: Block) -> Block:
    blocks = in_blocks([np.concatenate(sound)[np.newaxis]])
    heard: Block = np.concatenate(list(levelled(blocks)), axis=1)[0]
    return heard


def _speech_level(sound: Block) -> float:
    level = loudness(frame_levels(sound)).speech
    assert level is not None
    return level


@pytest.mark.parametrize("decibels", [-60, -40, -20, 0, 12, 24])
def test_speech_of_any_loudness_comes_out_equally_loud(decibels: float) -> None:
    as_it_was = _levelled(_voice())
    changed = _levelled(_voice(10 ** (decibels / 20)))
    assert _speech_level(changed) == pytest.approx(_speech_level(as_it_was), abs=1)


@pytest.mark.parametrize("decibels", [-80, -60, -40, -20, 0])
def test_noise_without_speech_stays_below_speech(decibels: float) -> None:
    noise = frame_levels(_levelled(_noise(decibels, 60)))
    assert noise.max() < _speech_level(_levelled(_voice())) - 12


def test_silence_stays_silence() -> None:
    rounding = np.asarray(np.random.default_rng(0).integers(-1, 2, 5 * SAMPLE_RATE) / 2**16, np.float32)
    assert not _levelled(np.zeros(5 * SAMPLE_RATE, np.float32)).any()
    assert np.abs(_levelled(rounding)).max() < 1 / 2**14


def test_the_gain_is_there_when_the_first_word_is() -> None:
    quiet = _voice(1 / 300)
    heard = _levelled(_noise(-95, 30), quiet)
    assert np.allclose(heard[30 * SAMPLE_RATE :], _levelled(quiet), atol=0.05)


def test_a_shout_after_quiet_speech_does_not_exceed_full_scale() -> None:
    heard = _levelled(_voice(1 / 200), _voice(3), _voice(1 / 200))
    assert np.abs(heard).max() <= 1


def test_the_gain_does_not_jump() -> None:
    moments = np.arange(30 * SAMPLE_RATE) / SAMPLE_RATE
    hum = (np.sin(2 * np.pi * 200 * moments) * np.repeat([0.001, 0.5, 0.001], 10 * SAMPLE_RATE)).astype(
        np.float32
    )
    steps = np.abs(np.diff(_levelled(hum)))
    assert steps.max() < 0.2


def test_words_keep_their_loudness_to_each_other() -> None:
    first = slice(0, 3 * SAMPLE_RATE)
    heard = _levelled(_voice()[first], _voice(0.5)[first], _voice()[first])
    peaks = [np.abs(part).max() for part in np.split(heard, 3)]
    assert peaks[1] == pytest.approx(peaks[0] / 2, rel=0.3)
    assert peaks[2] == pytest.approx(peaks[0], rel=0.3)


@pytest.mark.parametrize("frames", [1, 8])
def test_a_slamming_door_does_not_lower_the_speech_around_it(frames: int) -> None:
    slam = np.resize(np.array([30, -30], np.float32), frames * 480)
    calm = _levelled(_voice(), _voice())
    heard = _levelled(_voice(), slam, _voice())
    assert _speech_level(heard[-5 * SAMPLE_RATE :]) == pytest.approx(
        _speech_level(calm[-5 * SAMPLE_RATE :]), abs=1
    )


@pytest.mark.parametrize("samples", [1, 100, 479, 481])
def test_sound_of_less_than_a_frame_is_no_problem(samples: int) -> None:
    assert len(_levelled(np.full(samples, 0.1, np.float32))) == samples
