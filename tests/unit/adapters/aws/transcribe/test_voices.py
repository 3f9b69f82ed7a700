"""Voices as FLAC: each sample at its place, within Amazon's limits, in files that have no names."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters.aws.transcribe.voices import MIN_SECONDS, Voice, VoiceLimits, Voices, voices_in
from domain.model.errors import AudioTooLongError, RecordingTooLargeError, TranscriberUnavailableError
from domain.model.speech import SAMPLE_RATE, SpeechUnit
from tests.support.aws.transcribe import decoded
from tests.support.samples.recordings import Samples, tone


@pytest.fixture
def voices(tmp_path: Path) -> Iterator[Voices]:
    with voices_in(tmp_path / "spool", VoiceLimits(max_seconds=60, max_bytes=10**6)) as voices:
        yield voices


def unit(samples: Samples, start: int = 0, *, channel: int | None = None) -> SpeechUnit:
    return SpeechUnit(start, samples.tobytes(), ((0, len(samples)),), channel=channel)


def content(voice: Voice) -> Samples:
    voice.file.seek(0)
    return decoded(voice.file.read())


def test_units_become_one_sound_without_loss(voices: Voices) -> None:
    sound = tone(5.3)
    for at in range(0, len(sound), 20_000):
        voices.add(unit(sound[at : at + 20_000], at))
    voices.finish()

    (voice,) = voices.with_sound()
    assert np.array_equal(content(voice), sound)
    assert voice.seconds == len(sound) / SAMPLE_RATE
    assert voice.digest == hashlib.sha256(sound.tobytes()).hexdigest()


def test_what_the_reader_leaves_out_becomes_silence(voices: Voices) -> None:
    voices.add(unit(tone(1.0), 40_000))
    voices.finish()

    (voice,) = voices.with_sound()
    assert np.array_equal(content(voice), np.concatenate([np.zeros(40_000, np.int16), tone(1.0)]))


def test_each_channel_is_a_voice_and_a_silent_one_is_left_out(voices: Voices) -> None:
    for channel, sound in enumerate([tone(2.0), 0 * tone(2.0), tone(3.0)]):
        voices.add(unit(sound, channel=channel))
    voices.finish()

    assert [(voice.channel, voice.seconds) for voice in voices.with_sound()] == [(0, 2.0), (2, 3.0)]
    assert [len(content(voice)) for voice in voices.with_sound()] == [2 * SAMPLE_RATE, 3 * SAMPLE_RATE]


def test_a_sound_that_is_too_short_for_amazon_is_filled_up(voices: Voices) -> None:
    voices.add(unit(tone(0.2)))
    voices.finish()

    (voice,) = voices.with_sound()
    assert len(content(voice)) == MIN_SECONDS * SAMPLE_RATE


def test_a_recording_without_a_unit_has_no_voice(voices: Voices) -> None:
    voices.finish()

    assert voices.with_sound() == ()


@pytest.mark.parametrize("start", [60 * SAMPLE_RATE, 10**15])
def test_too_long_a_sound_is_refused_by_its_place_before_it_is_written(voices: Voices, start: int) -> None:
    with pytest.raises(AudioTooLongError, match="Amazon Transcribe takes at most"):
        voices.add(unit(tone(1.0), start))


def test_too_large_a_file_is_refused_while_it_is_written(voices: Voices) -> None:
    noise = np.random.default_rng(1).integers(-30_000, 30_000, SAMPLE_RATE).astype(np.int16)

    minute = unit(np.tile(noise, 59))

    with pytest.raises(RecordingTooLargeError, match="at most 1000000 bytes"):
        voices.add(minute)


def test_the_files_have_no_names(voices: Voices, tmp_path: Path) -> None:
    voices.add(unit(tone(1.0)))

    assert list((tmp_path / "spool").iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        voices_in(tmp_path / "file", VoiceLimits()) as voices,
        pytest.raises(TranscriberUnavailableError, match=r"SPOOL_DIR=.*file"),
    ):
        voices.add(unit(tone(1.0)))
