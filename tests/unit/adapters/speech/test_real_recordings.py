"""Recordings as people make them, decoded, cut and recognised by the default engine in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from adapters.speech.cutting.reading import RecordingReader
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.engines.engine import SpeechEngine
from domain.model.result_warnings import WarningCode
from domain.model.speech import SpeechUnit
from domain.model.transcripts import DEFAULT_OPTIONS, Channels, Segment, Tracks, TranscriptionOptions
from domain.services.transcription.joining import segments_of
from ports.recogniser_port import Hints
from ports.speech_source_port import SoundSummary
from tests.support.samples.recordings import (
    DEMO,
    ENCODINGS,
    SAMPLE_RATE,
    Samples,
    comparable,
    record,
    record_channels,
    record_video,
    record_with_gap,
    silence,
    speech,
)

pytestmark = pytest.mark.speech

SENTENCES = (
    "the weather is going to be nice today",
    "please open the window and close the door",
    "we will meet again on monday morning at nine",
)
FIRST = slice(0, 3 * SAMPLE_RATE)
SECOND = slice(int(3.3 * SAMPLE_RATE), int(6.4 * SAMPLE_RATE))


class Listened(NamedTuple):
    """Segments of a recording, and what was said of it at its end."""

    segments: tuple[Segment, ...]
    summary: SoundSummary

    @property
    def text(self) -> str:
        """All words in small letters, without punctuation."""
        return plain(" ".join(segment.text for segment in self.segments))


Listen = Callable[..., Listened]


def plain(text: str) -> str:
    return " ".join(comparable(text))


@pytest.fixture(scope="module")
def listen(engine: SpeechEngine) -> Listen:
    reader = RecordingReader()

    def listened(recording: Path, options: TranscriptionOptions = DEFAULT_OPTIONS) -> Listened:
        segments: list[Segment] = []
        *units, summary = reader.read(recording, DecodingLimits(), lambda _: None, options)
        for unit in units:
            assert isinstance(unit, SpeechUnit)
            segments += segments_of(unit, engine.recognise(unit.samples, Hints()))
        assert isinstance(summary, SoundSummary)
        return Listened(tuple(segments), summary)

    return listened


def test_every_sentence_is_understood_at_its_time(listen: Listen) -> None:
    heard = listen(DEMO)

    assert heard.text == " ".join(SENTENCES)
    assert heard.segments[0].start == pytest.approx(0.1, abs=0.3)
    assert heard.segments[-1].end == pytest.approx(9.8, abs=0.5)


@pytest.mark.parametrize("name", ["mp3", "m4a", "webm", "ogg with vorbis", "wav of a telephone"])
def test_it_is_understood_in_other_formats(name: str, listen: Listen, tmp_path: Path) -> None:
    heard = listen(record(tmp_path / "recording", speech(), ENCODINGS[name]))

    assert heard.text == " ".join(SENTENCES)


@pytest.mark.parametrize("decibels", [-60, -40, 24])
def test_speech_of_any_loudness_has_the_same_words(decibels: float, listen: Listen, tmp_path: Path) -> None:
    recording = record_channels(tmp_path / "loud", speech()[FIRST], gain=10 ** (decibels / 20))

    assert listen(recording).text == SENTENCES[0]


def test_a_channel_of_opposite_polarity_does_not_silence_the_other(listen: Listen, tmp_path: Path) -> None:
    recording = record_channels(tmp_path / "inverted", speech()[FIRST], -speech()[FIRST])

    assert listen(recording).text == SENTENCES[0]


def test_hiss_on_one_channel_does_not_hide_the_other(listen: Listen, tmp_path: Path) -> None:
    hiss = np.random.default_rng(0).normal(0, 3_000, 3 * SAMPLE_RATE).astype(np.int16)

    assert listen(record_channels(tmp_path / "hiss", speech()[FIRST], hiss)).text == SENTENCES[0]


def test_speakers_on_two_channels_are_told_apart_on_request(listen: Listen, tmp_path: Path) -> None:
    second = speech()[SECOND]
    first = np.concatenate([speech()[FIRST], silence(1)])[: len(second)]
    recording = record_channels(tmp_path / "call", first, second)

    heard = listen(recording, TranscriptionOptions(channels=Channels.SEPARATE))

    said = {segment.channel: plain(segment.text) for segment in heard.segments}
    assert said == {1: SENTENCES[0], 2: SENTENCES[1]}


def test_tracks_are_told_apart_on_request(listen: Listen, tmp_path: Path) -> None:
    video = record_video(tmp_path / "video", sound_tracks=(speech()[FIRST], speech()[SECOND]))

    one, both = listen(video), listen(video, TranscriptionOptions(tracks=Tracks.ALL))

    assert {segment.track for segment in one.segments} == {None}
    assert one.text == SENTENCES[0]
    assert {segment.track: plain(segment.text) for segment in both.segments} == {
        1: SENTENCES[0],
        2: SENTENCES[1],
    }
    warnings = (*one.summary.warnings, *both.summary.warnings)
    assert [warning.code for warning in warnings] == [WarningCode.SEVERAL_TRACKS] * 2


def test_a_single_word_is_understood(listen: Listen, tmp_path: Path) -> None:
    word = speech()[int(2.0 * SAMPLE_RATE) : int(2.6 * SAMPLE_RATE)]

    assert listen(record(tmp_path / "word", word)).text == "today"


def test_times_count_a_gap_in_the_timestamps(listen: Listen, tmp_path: Path) -> None:
    heard = listen(record_with_gap(tmp_path / "muted", speech(), ENCODINGS["webm"], at=6.5, seconds=20))

    assert heard.summary.duration_seconds == pytest.approx(30.3, abs=0.1)
    assert heard.segments[-1].start == pytest.approx(26.8, abs=0.4)


def test_voices_over_each_other_are_recognised_and_harm_nothing(listen: Listen, tmp_path: Path) -> None:
    voices = [np.roll(speech(), round(shift * SAMPLE_RATE)) for shift in (0.0, 1.3, 3.1, 5.7)]
    babble: Samples = (np.sum(voices, axis=0, dtype=np.int32) // 3).clip(-32_767, 32_767).astype(np.int16)

    heard = listen(record(tmp_path / "babble", babble))

    assert heard.summary.duration_seconds == pytest.approx(len(babble) / SAMPLE_RATE)
    assert all(segment.end <= heard.summary.duration_seconds for segment in heard.segments)
