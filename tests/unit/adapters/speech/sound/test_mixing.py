"""Mixing: no channel cancels another one, and none without speech disturbs."""

from collections.abc import Iterator

import numpy as np

from adapters.speech.sound.blocks import Block, in_blocks
from adapters.speech.sound.mixing import mixed
from tests.support.samples.recordings import SAMPLE_RATE, speech

DECIBEL = 10 ** (1 / 20)


def _voice() -> Block:
    return np.asarray(speech() / 2**15, np.float32)


def _hiss(level: float, like: Block) -> Block:
    return np.random.default_rng(1).normal(0, level, like.shape).astype(np.float32)


def _mix(*channels: Block) -> Block:
    heard: Block = np.concatenate(list(mixed(in_blocks([np.stack(channels)]))), axis=1)[0]
    return heard


def _power(sound: Block) -> float:
    return float(np.square(sound).mean())


def test_one_channel_is_its_own_mix() -> None:
    assert np.array_equal(_mix(_voice()), _voice())


def test_equal_channels_are_added() -> None:
    assert np.allclose(_mix(_voice(), _voice()), 2 * _voice())


def test_a_channel_of_opposite_polarity_cancels_nothing() -> None:
    assert np.allclose(_mix(_voice(), -_voice()), _voice(), atol=1e-6)
    assert _power(_mix(_voice(), -0.9 * _voice(), _voice() * 0)) > 0.9 * _power(_voice())


def test_hiss_without_speech_is_left_out_on_each_side() -> None:
    hiss = _hiss(0.1, _voice())
    assert np.array_equal(_mix(_voice(), hiss), _voice())
    assert np.array_equal(_mix(hiss, _voice()), _voice())


def test_hiss_stays_out_in_a_long_pause() -> None:
    pause = np.zeros(60 * SAMPLE_RATE, np.float32)
    voice = np.concatenate([_voice(), pause, _voice()])
    assert np.array_equal(_mix(voice, _hiss(0.1, voice)), voice)


def test_a_silent_channel_takes_nothing() -> None:
    assert np.array_equal(_mix(_voice() * 0, _voice()), _voice())


def test_two_speakers_are_both_heard_at_their_loudness() -> None:
    first = np.concatenate([_voice(), _voice() * 0])
    second = np.concatenate([_voice() * 0, 0.3 * _voice()])
    assert np.allclose(_mix(first, second), first + second, atol=1e-6)


def test_a_channel_is_mixed_from_before_its_first_word() -> None:
    pause = np.zeros(30 * SAMPLE_RATE, np.float32)
    late = np.concatenate([pause, _voice()])
    early = np.concatenate([_voice(), pause])
    heard = _mix(early, late + _hiss(0.0005, late))
    assert np.allclose(heard[len(pause) :], late[len(pause) :], atol=0.02)


def test_noise_alone_is_mixed_too() -> None:
    hiss = _hiss(0.1, _voice())
    assert _power(_mix(hiss, hiss[::-1])) > _power(hiss)


def test_no_change_of_the_channels_clicks() -> None:
    moments = np.arange(40 * SAMPLE_RATE) / SAMPLE_RATE
    hum = np.sin(2 * np.pi * 200 * moments).astype(np.float32) * 0.3
    hum[: 20 * SAMPLE_RATE] *= 0.01
    voice = np.concatenate([np.zeros(len(hum) - len(_voice()), np.float32), _voice()])
    heard = _mix(voice, hum)
    clicks = np.abs(np.diff(heard)).max() - max(np.abs(np.diff(voice)).max(), np.abs(np.diff(hum)).max())
    assert clicks < 0.1


def test_sound_is_mixed_as_it_comes() -> None:
    taken = 0

    def endless() -> Iterator[Block]:
        nonlocal taken
        while True:
            taken += 1
            yield np.stack([_voice()[:15_360], _voice()[:15_360]])

    mix = mixed(endless())
    for _ in range(100):
        next(mix)
    assert taken < 110
