"""Segmentation: utterances are found whole, and only in speech."""

import itertools

import numpy as np
import pytest

from adapters.speech.engines.segmentation import (
    FRAME_BYTES,
    MAX_UTTERANCE_SECONDS,
    PADDING_SECONDS,
    Utterance,
    utterances,
)
from tests.support.samples.recordings import SAMPLE_RATE, Samples, silence, speech, tone

SENTENCE_SECONDS = 2.7
"""End of the first sentence of `speech()`, which begins almost at once."""


def _sentence() -> Samples:
    return speech()[: int(SENTENCE_SECONDS * SAMPLE_RATE)]


def _ceaseless(seconds: float) -> Samples:
    """Generate speech without a pause, by repeating the loud part of a sentence."""
    voice = speech()[int(0.3 * SAMPLE_RATE) : int(2.3 * SAMPLE_RATE)]
    return np.tile(voice, int(seconds / 2) + 1)[: int(seconds * SAMPLE_RATE)]


def _cut(*pieces: Samples, block_bytes: int = 30_720) -> list[Utterance]:
    sound = np.concatenate(pieces).tobytes()
    return list(utterances(sound[at : at + block_bytes] for at in range(0, len(sound), block_bytes)))


def _whole_frames(samples: Samples, *, and_samples: int = 0) -> Samples:
    return samples[: len(samples) * 2 // FRAME_BYTES * FRAME_BYTES // 2 + and_samples]


def test_each_sentence_is_an_utterance() -> None:
    starts = [round(utterance.start, 1) for utterance in _cut(speech())]
    assert starts == [0.1, 3.4, 6.8]


def test_an_utterance_carries_the_sound_between_its_times() -> None:
    sound = np.concatenate([silence(1), speech()])
    for utterance in _cut(sound):
        start, end = round(utterance.start * SAMPLE_RATE), round(utterance.end * SAMPLE_RATE)
        assert utterance.samples == sound[start:end].tobytes()


def test_an_utterance_begins_a_little_before_the_voice() -> None:
    voice_starts = 2 + 0.1
    (utterance,) = _cut(silence(2), _sentence(), silence(2))
    assert voice_starts - 2 * PADDING_SECONDS <= utterance.start <= voice_starts


def test_silence_holds_no_utterance() -> None:
    assert _cut(silence(60)) == []


def test_noise_holds_no_utterance() -> None:
    noise = np.random.default_rng(0).normal(0, 20, 60 * SAMPLE_RATE).astype(np.int16)
    assert _cut(noise) == []


def test_no_sound_at_all_holds_no_utterance() -> None:
    assert list(utterances([])) == []
    assert list(utterances([b""])) == []


@pytest.mark.parametrize("and_samples", [-479, -1, 0, 1, 479])
def test_the_last_utterance_is_kept_wherever_the_recording_ends(and_samples: int) -> None:
    cut_in_mid_word = _whole_frames(speech()[: 9 * SAMPLE_RATE], and_samples=and_samples)
    last = _cut(cut_in_mid_word)[-1]
    assert last.start == pytest.approx(6.8, abs=0.1)
    assert last.end == len(cut_in_mid_word) / SAMPLE_RATE


@pytest.mark.parametrize("block_bytes", [2, 958, 960, 962, 1_920, 1_000_000])
def test_the_size_of_the_blocks_does_not_matter(block_bytes: int) -> None:
    assert _cut(speech(), block_bytes=block_bytes) == _cut(speech())


def test_speech_without_a_pause_is_cut() -> None:
    heard = _cut(_ceaseless(70))
    assert len(heard) > 3
    assert max(utterance.end - utterance.start for utterance in heard) <= MAX_UTTERANCE_SECONDS
    assert heard[-1].end == pytest.approx(70)


def test_a_cut_loses_nothing() -> None:
    heard = _cut(_ceaseless(50))
    assert all(before.end == after.start for before, after in itertools.pairwise(heard))


def test_speech_is_cut_where_it_is_quietest() -> None:
    breath = slice(17 * SAMPLE_RATE, 17 * SAMPLE_RATE + SAMPLE_RATE // 8)
    sound = _ceaseless(30)
    sound[breath] = 0
    first, *_ = _cut(sound)
    assert first.end == pytest.approx(17 + 1 / 16, abs=0.05)


def test_utterances_are_in_order_and_do_not_overlap() -> None:
    sound = np.concatenate([speech(), tone(0.2), _sentence(), silence(0.25), _ceaseless(45), speech()])
    heard = _cut(sound)
    moments = [moment for utterance in heard for moment in (utterance.start, utterance.end)]
    assert moments == sorted(moments)
    assert moments[-1] <= len(sound) / SAMPLE_RATE


def test_an_utterance_is_handed_out_as_soon_as_its_pause_is_heard() -> None:
    heard_seconds = 0

    def endless() -> itertools.chain[bytes]:
        def counted(second: bytes) -> bytes:
            nonlocal heard_seconds
            heard_seconds += 1
            return second

        sound = np.concatenate([_sentence(), silence(1.3)]).tobytes()
        seconds = [sound[at : at + 32_000] for at in range(0, len(sound), 32_000)]
        return itertools.chain(map(counted, seconds), map(counted, itertools.repeat(bytes(32_000))))

    next(utterances(endless()))
    assert heard_seconds <= SENTENCE_SECONDS + 1.3
