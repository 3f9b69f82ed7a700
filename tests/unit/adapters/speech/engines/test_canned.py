"""Canned engine: canned text, but real decoding."""

import itertools
from pathlib import Path

import pytest

from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.engines.canned import SENTENCES, WORDS_PER_SECOND, CannedEngine
from adapters.speech.engines.loading import ENGINES, load_engine
from domain.model.errors import AudioTooLongError, ConfigurationError, NotAudioError
from domain.model.transcripts import Transcript
from ports.transcriber_port import Progress
from tests.support.samples.recordings import ENCODINGS, Samples, record, silence, tone


def _listen(folder: Path, samples: Samples, encoding: str = "wav") -> Transcript:
    recording = record(folder / "recording", samples, ENCODINGS[encoding])
    return CannedEngine().transcribe(recording, DecodingLimits(), lambda _: None)


def test_it_always_says_the_same(tmp_path: Path) -> None:
    assert _listen(tmp_path, tone(30)) == _listen(tmp_path, silence(30))


@pytest.mark.speech
def test_it_speaks_for_as_long_as_the_recording_plays(tmp_path: Path) -> None:
    transcript = _listen(tmp_path, silence(90), "mp3")
    assert transcript.duration_seconds == pytest.approx(90, abs=0.1)
    assert transcript.segments[-1].end > 85
    words = len(transcript.text.split())
    assert 0.7 * 90 * WORDS_PER_SECOND < words <= 90 * WORDS_PER_SECOND


def test_its_sentences_have_pauses_between_them(tmp_path: Path) -> None:
    segments = _listen(tmp_path, silence(60)).segments
    assert [segment.text for segment in segments[: len(SENTENCES)]] == list(SENTENCES)
    assert all(after.start - before.end > 0.5 for before, after in itertools.pairwise(segments))
    assert segments[-1].end <= 60


def test_a_recording_too_short_for_a_word_is_silent(tmp_path: Path) -> None:
    assert _listen(tmp_path, silence(0.3)) == Transcript(duration_seconds=0.3)


def test_it_refuses_what_every_engine_refuses(tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    with pytest.raises(NotAudioError):
        CannedEngine().transcribe(text, DecodingLimits(), lambda _: None)
    with pytest.raises(AudioTooLongError):
        CannedEngine().transcribe(
            record(tmp_path / "recording", tone(3)), DecodingLimits(max_audio_seconds=2), lambda _: None
        )


def test_it_tells_its_progress_to_the_end(tmp_path: Path) -> None:
    reports: list[Progress] = []
    CannedEngine().transcribe(record(tmp_path / "recording", tone(5)), DecodingLimits(), reports.append)
    assert reports[-1] == Progress(5.0, 5.0)


def test_it_is_loaded_by_its_name() -> None:
    assert isinstance(load_engine("canned"), CannedEngine)


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="pocketsphinx or canned"):
        load_engine("whisper")
    assert ENGINES == ("pocketsphinx", "canned")
