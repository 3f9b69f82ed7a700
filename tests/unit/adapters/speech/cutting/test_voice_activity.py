"""Voice activity: Silero's model on speech and other sound, and the frames that it is given."""

from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.speech.cutting.voice_activity import (
    FRAME_SAMPLES,
    AllIsSpeech,
    Frame,
    VoiceActivity,
    model_file,
)
from domain.model.speech import SPEECH_THRESHOLD
from tests.support.samples.recordings import SAMPLE_RATE, Samples, silence, speech, tone


@pytest.fixture(scope="module")
def activity() -> VoiceActivity:
    return VoiceActivity()


def blocks_of(samples: Samples, size: int = SAMPLE_RATE) -> Iterator[bytes]:
    for at in range(0, len(samples), size):
        yield samples[at : at + size].tobytes()


def share_of_speech(frames: Iterable[Frame]) -> float:
    return float(np.mean([frame.probability >= SPEECH_THRESHOLD for frame in frames]))


def probabilities(frames: Iterable[Frame]) -> list[float]:
    return [frame.probability for frame in frames]


def test_the_model_comes_with_an_installed_package() -> None:
    assert model_file().is_file()


def test_speech_is_speech(activity: VoiceActivity) -> None:
    assert share_of_speech(activity.frames(blocks_of(speech()))) > 0.6


@pytest.mark.parametrize("sound", [silence, tone], ids=["silence", "a tone"])
def test_other_sound_is_none(activity: VoiceActivity, sound: Callable[[float], Samples]) -> None:
    assert share_of_speech(activity.frames(blocks_of(sound(5)))) < 0.05


def test_the_size_of_the_blocks_does_not_matter(activity: VoiceActivity) -> None:
    sound = speech()[: 2 * SAMPLE_RATE]
    expected = probabilities(activity.frames([sound.tobytes()]))

    for size in (1, 511, 512, 513, 7_000):
        found = probabilities(activity.frames(blocks_of(sound, size)))
        assert found == pytest.approx(expected, abs=0.01)


def test_voices_that_are_read_in_turns_do_not_influence_each_other(activity: VoiceActivity) -> None:
    voice, other = blocks_of(speech(), 4_000), blocks_of(tone(10), 4_000)
    alone = probabilities(activity.frames(blocks_of(speech(), 4_000)))

    in_turns = zip_longest(activity.frames(voice), activity.frames(other))

    assert [first.probability for first, _ in in_turns if first is not None] == alone


@given(st.lists(st.binary(max_size=3 * FRAME_SAMPLES).map(lambda raw: raw * 2), max_size=8))
def test_frames_are_the_sound_and_only_the_last_is_shorter(blocks: list[bytes]) -> None:
    frames = list(AllIsSpeech().frames(blocks))

    assert b"".join(frame.samples for frame in frames) == b"".join(blocks)
    assert all(len(frame.samples) == 2 * FRAME_SAMPLES for frame in frames[:-1])
    assert all(0 < len(frame.samples) <= 2 * FRAME_SAMPLES for frame in frames)


def test_the_last_frame_is_not_longer_than_the_recording(activity: VoiceActivity) -> None:
    sound = speech()[: FRAME_SAMPLES + 100]

    frames = list(activity.frames([sound.tobytes()]))

    assert [len(frame.samples) // 2 for frame in frames] == [FRAME_SAMPLES, 100]


def test_no_sound_has_no_frames(activity: VoiceActivity) -> None:
    assert list(activity.frames([])) == list(activity.frames([b""])) == []
