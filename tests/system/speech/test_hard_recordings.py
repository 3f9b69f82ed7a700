"""Recordings on which engines are known to fail, through the whole transcriber with the default engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from bootstrap.factories.transcriber import transcriber_for
from bootstrap.settings import Settings
from domain.model.errors import UnsupportedOptionError
from domain.model.result_warnings import WarningCode
from domain.model.transcripts import TranscriptionOptions
from ports.transcriber_port import TranscriberPort
from tests.support.samples.recordings import (
    DEMO,
    DEMO_TEXT,
    SAMPLE_RATE,
    Samples,
    comparable,
    record,
    silence,
    speech,
)

pytestmark = [pytest.mark.process, pytest.mark.speech, pytest.mark.slow]


@pytest.fixture
async def transcriber() -> AsyncIterator[TranscriberPort]:
    made = transcriber_for(Settings.from_env({"TRANSCRIBER_WORKERS": "1"}))
    await made.start()
    yield made
    await made.stop()


def noise(seconds: float, decibels: float) -> Samples:
    """Generate white noise; decibels of full scale."""
    samples = np.random.default_rng(1).standard_normal(int(seconds * SAMPLE_RATE))
    return (samples * 32_768 * 10 ** (decibels / 20)).clip(-32_767, 32_767).astype(np.int16)


def music(seconds: int) -> Samples:
    """Generate a chord a second, each of plucked strings."""
    moments = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    played = [
        sum(
            np.sin(2 * np.pi * note * harmonic * moments) / harmonic
            for note in chord
            for harmonic in range(1, 6)
        )
        * np.exp(-2 * moments)
        for chord in ((220, 277, 330), (196, 247, 294), (175, 220, 262))
    ]
    tune = np.tile(np.concatenate(played), seconds // 3 + 1)[: seconds * SAMPLE_RATE]
    return (tune * 3_000).astype(np.int16)


def without_pauses(samples: Samples) -> Samples:
    """Keep only the frames that are loud."""
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    loud: Samples = frames[np.abs(frames).max(axis=1) > 600].ravel()
    return loud


@pytest.mark.exhaustive
async def test_four_minutes_of_noise_before_the_first_word_give_no_word_and_move_none(
    transcriber: TranscriberPort, tmp_path: Path
) -> None:
    recording = record(tmp_path / "a.wav", np.concatenate([noise(240, -45), speech()]))

    transcript = await transcriber.transcribe(recording)

    alone = await transcriber.transcribe(DEMO)
    assert comparable(transcript.text) == comparable(alone.text)
    assert transcript.segments[0].start == pytest.approx(240 + alone.segments[0].start, abs=0.3)
    assert transcript.quality.suspect_units == 0


@pytest.mark.parametrize(
    "sound", [music(30), noise(30, -30), noise(30, -60)], ids=["music", "loud noise", "soft noise"]
)
async def test_sound_without_speech_gives_no_words_and_says_so(
    transcriber: TranscriberPort, tmp_path: Path, sound: Samples
) -> None:
    transcript = await transcriber.transcribe(record(tmp_path / "a.wav", sound))

    assert transcript.segments == ()
    assert [warning.code for warning in transcript.warnings] == [WarningCode.NO_WORDS_HEARD]
    assert transcript.duration_seconds == pytest.approx(30)


async def test_silence_is_no_failure(transcriber: TranscriberPort, tmp_path: Path) -> None:
    transcript = await transcriber.transcribe(record(tmp_path / "a.wav", silence(3)))

    assert (transcript.segments, transcript.warnings) == ((), ())
    assert transcript.quality.coverage == 1


@pytest.mark.exhaustive
async def test_a_minute_without_a_pause_is_cut_between_words(
    transcriber: TranscriberPort, tmp_path: Path
) -> None:
    rounds = 10
    recording = record(tmp_path / "a.wav", np.tile(without_pauses(speech()), rounds))

    transcript = await transcriber.transcribe(recording)

    words = comparable(transcript.text)
    expected = comparable(DEMO_TEXT) * rounds
    assert len(words) == pytest.approx(len(expected), rel=0.1)
    assert words.count("window") == words.count("monday") == rounds
    assert transcript.quality.suspect_units == 0


async def test_two_tenths_of_a_second_of_speech_are_no_failure(
    transcriber: TranscriberPort, tmp_path: Path
) -> None:
    piece = speech()[int(0.35 * SAMPLE_RATE) : int(0.55 * SAMPLE_RATE)]

    transcript = await transcriber.transcribe(record(tmp_path / "a.wav", piece))

    assert transcript.duration_seconds == pytest.approx(0.2)
    assert all(segment.end <= transcript.duration_seconds for segment in transcript.segments)


async def test_a_language_that_the_model_does_not_know_is_refused(transcriber: TranscriberPort) -> None:
    with pytest.raises(UnsupportedOptionError, match=r"tiny\.en .* not know the language 'de'; it knows en"):
        await transcriber.transcribe(DEMO, options=TranscriptionOptions(language="de"))


async def test_words_have_times_and_confidence_and_the_answer_says_what_made_it(
    transcriber: TranscriberPort,
) -> None:
    transcript = await transcriber.transcribe(DEMO, options=TranscriptionOptions(vocabulary=("Monday",)))

    words = [word for segment in transcript.segments for word in segment.words]
    moments = [moment for word in words for moment in (word.start, word.end)]
    assert comparable(" ".join(word.text for word in words)) == comparable(transcript.text)
    assert moments == sorted(moments)
    assert all(word.confidence is not None and 0 < word.confidence <= 1 for word in words)
    assert transcript.provenance is not None
    assert transcript.provenance.model_dump() == {
        "engine": "faster-whisper",
        "model": "tiny.en",
        "language": "en",
        "language_probability": 1.0,
    }
