"""Pocketsphinx with real speech, and regression tests of its pitfalls."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.engines.loading import load_engine
from adapters.speech.engines.pocketsphinx import PocketsphinxEngine, louder
from adapters.speech.engines.segmentation import FRAME_BYTES, MAX_UTTERANCE_SECONDS
from adapters.speech.workers.cpu_budget import CPU_SECONDS_PER_AUDIO_SECOND, CPU_SECONDS_TO_SPARE
from domain.model.errors import AudioTooLongError, NotAudioError
from domain.model.result_warnings import WarningCode
from domain.model.transcripts import Channels, Tracks, Transcript, TranscriptionOptions
from ports.transcriber_port import Progress
from tests.support.samples.recordings import (
    DEMO,
    DEMO_TEXT,
    ENCODINGS,
    SAMPLE_RATE,
    Samples,
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
FIRST_SENTENCE = slice(0, 3 * SAMPLE_RATE)

Listen = Callable[..., Transcript]


@pytest.fixture(scope="module")
def engine() -> PocketsphinxEngine:
    return PocketsphinxEngine()


@pytest.fixture
def listen(engine: PocketsphinxEngine, tmp_path: Path) -> Listen:
    """Transcribe samples as a wav."""

    def listen(*pieces: Samples) -> Transcript:
        recording = record(tmp_path / "recording", np.concatenate(pieces))
        return engine.transcribe(recording, DecodingLimits(), lambda _: None)

    return listen


def test_what_is_said_is_recognised_word_by_word(engine: PocketsphinxEngine) -> None:
    transcript = engine.transcribe(DEMO, DecodingLimits(), lambda _: None)
    assert transcript.text == DEMO_TEXT
    assert tuple(segment.text for segment in transcript.segments) == SENTENCES
    assert transcript.duration_seconds == pytest.approx(10.285)


@pytest.mark.parametrize("name", ["mp3", "m4a", "webm", "ogg with vorbis"])
def test_it_is_recognised_in_other_formats(name: str, engine: PocketsphinxEngine, tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", speech()[FIRST_SENTENCE], ENCODINGS[name])
    heard = engine.transcribe(recording, DecodingLimits(), lambda _: None).text
    assert heard.endswith("is going to be nice today")  # what these encoders throw away may cost a word


def test_segments_tell_when_each_sentence_is_said(listen: Listen) -> None:
    first, second = listen(
        silence(5), speech()[FIRST_SENTENCE], silence(4), speech()[FIRST_SENTENCE]
    ).segments
    assert first.start == pytest.approx(5.1, abs=0.1)
    assert first.end == pytest.approx(7.8, abs=0.2)
    assert second.start - first.start == pytest.approx(7, abs=0.1)


def test_a_result_does_not_depend_on_what_was_heard_before(listen: Listen, tmp_path: Path) -> None:
    sentence = speech()[FIRST_SENTENCE]
    alone = listen(sentence)
    listen((sentence // 50)[::-1].copy())
    listen(np.random.default_rng(0).normal(0, 3_000, 2 * SAMPLE_RATE).astype(np.int16))
    assert listen(sentence) == alone
    never_heard_anything = PocketsphinxEngine()
    assert never_heard_anything.transcribe(tmp_path / "recording", DecodingLimits(), lambda _: None) == alone


def test_an_utterance_does_not_depend_on_the_one_before_it(listen: Listen) -> None:
    whisper = speech()[: 7 * SAMPLE_RATE] // 40
    last = listen(whisper, speech()[FIRST_SENTENCE]).segments[-1]
    assert last.text == listen(silence(7), speech()[FIRST_SENTENCE]).segments[-1].text == SENTENCES[0]


def test_the_last_segment_is_kept_when_the_recording_is_a_whole_number_of_frames(listen: Listen) -> None:
    cut_in_mid_word = speech()[: int(9.6 * SAMPLE_RATE)]
    assert cut_in_mid_word.nbytes % FRAME_BYTES == 0
    assert listen(cut_in_mid_word).segments[-1].text.startswith("we will meet again on monday")


@pytest.mark.parametrize("loudness", [0, 1, 20, 3_000])
def test_silence_and_noise_say_nothing(loudness: int, listen: Listen) -> None:
    noise = np.random.default_rng(0).normal(0, loudness, 20 * SAMPLE_RATE).astype(np.int16)
    heard = listen(noise)
    assert heard.text == ""
    assert [warning.code for warning in heard.warnings] == [WarningCode.NO_WORDS_HEARD] * (loudness > 1)


@pytest.mark.parametrize("decibels", [-60, -40, 24])
def test_speech_of_any_loudness_has_the_same_words(
    decibels: float, engine: PocketsphinxEngine, tmp_path: Path
) -> None:
    recording = record_channels(tmp_path / "loud", speech()[FIRST_SENTENCE], gain=10 ** (decibels / 20))
    heard = engine.transcribe(recording, DecodingLimits(), lambda _: None)
    assert heard.text == SENTENCES[0]
    assert heard.warnings == ()


def test_a_channel_of_opposite_polarity_does_not_silence_the_other(
    engine: PocketsphinxEngine, tmp_path: Path
) -> None:
    sentence = speech()[FIRST_SENTENCE]
    recording = record_channels(tmp_path / "inverted", sentence, -sentence)
    assert engine.transcribe(recording, DecodingLimits(), lambda _: None).text == SENTENCES[0]


def test_hiss_on_one_channel_does_not_hide_the_other(engine: PocketsphinxEngine, tmp_path: Path) -> None:
    sentence = speech()[FIRST_SENTENCE]
    hiss = np.random.default_rng(0).normal(0, 3_000, len(sentence)).astype(np.int16)
    recording = record_channels(tmp_path / "hiss", sentence, hiss)
    assert engine.transcribe(recording, DecodingLimits(), lambda _: None).text == SENTENCES[0]


def test_speakers_on_two_channels_are_told_apart_on_request(
    engine: PocketsphinxEngine, tmp_path: Path
) -> None:
    second = speech()[int(3.3 * SAMPLE_RATE) : int(6.4 * SAMPLE_RATE)]
    first = np.concatenate([speech()[FIRST_SENTENCE], silence(1)])[: len(second)]
    recording = record_channels(tmp_path / "call", first, second)
    separate = TranscriptionOptions(channels=Channels.SEPARATE)
    heard = engine.transcribe(recording, DecodingLimits(), lambda _: None, separate)
    assert {segment.channel: segment.text for segment in heard.segments} == {1: SENTENCES[0], 2: SENTENCES[1]}
    assert heard.duration_seconds == pytest.approx(len(second) / SAMPLE_RATE)


def test_tracks_are_told_apart_on_request(engine: PocketsphinxEngine, tmp_path: Path) -> None:
    second = speech()[int(3.3 * SAMPLE_RATE) : int(6.4 * SAMPLE_RATE)]
    video = record_video(tmp_path / "video", sound_tracks=(speech()[FIRST_SENTENCE], second))
    one = engine.transcribe(video, DecodingLimits(), lambda _: None)
    both = engine.transcribe(video, DecodingLimits(), lambda _: None, TranscriptionOptions(tracks=Tracks.ALL))
    assert {segment.track for segment in one.segments} == {None}
    assert {segment.track for segment in both.segments} == {1, 2}
    assert one.text.endswith("going to be nice today")
    assert "close the door" in both.text
    assert [warning.code for warning in (*one.warnings, *both.warnings)] == [WarningCode.SEVERAL_TRACKS] * 2


@pytest.mark.parametrize(("start", "end", "word"), [(2.0, 2.6, "today"), (3.45, 3.8, "please")])
def test_a_single_word_is_understood(start: float, end: float, word: str, listen: Listen) -> None:
    assert listen(speech()[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]).text == word


def test_times_count_a_gap_in_the_timestamps(engine: PocketsphinxEngine, tmp_path: Path) -> None:
    recording = record_with_gap(tmp_path / "muted", speech(), ENCODINGS["webm"], at=6.5, seconds=20)
    heard = engine.transcribe(recording, DecodingLimits(), lambda _: None)
    assert heard.duration_seconds == pytest.approx(30.3, abs=0.1)
    assert heard.segments[-1].start == pytest.approx(26.8, abs=0.1)


def test_only_words_are_in_the_text(listen: Listen) -> None:
    coughs = np.random.default_rng(0).normal(0, 1, (4, 3_200)) * 8_000 * np.hanning(3_200)
    pauses = np.pad(coughs, ((0, 0), (0, 8_000))).ravel().astype(np.int16)
    text = listen(pauses, speech()[FIRST_SENTENCE], pauses).text
    assert not set(text) & set("([<+")


def test_speech_without_a_pause_is_cut_and_understood(listen: Listen) -> None:
    sentence = speech()[int(0.1 * SAMPLE_RATE) : int(2.65 * SAMPLE_RATE)]
    segments = listen(*[sentence] * 9).segments
    assert len(segments) >= 2
    assert max(segment.end - segment.start for segment in segments) <= MAX_UTTERANCE_SECONDS
    assert all(before.end <= after.start for before, after in itertools.pairwise(segments))
    assert " ".join(segment.text for segment in segments).count("going to be nice") >= 7


def test_the_library_is_silent(listen: Listen, capfd: pytest.CaptureFixture[str]) -> None:
    PocketsphinxEngine()
    listen(speech()[FIRST_SENTENCE])
    assert capfd.readouterr() == ("", "")


def test_progress_is_reported_to_the_end(engine: PocketsphinxEngine, tmp_path: Path) -> None:
    reports: list[Progress] = []
    engine.transcribe(record(tmp_path / "recording", silence(60)), DecodingLimits(), reports.append)
    steps = [after.done_seconds - before.done_seconds for before, after in itertools.pairwise(reports)]
    assert max(steps) <= 1
    assert reports[-1] == Progress(60.0, 60.0)


def test_loudness_is_raised_to_full_scale_but_not_without_end() -> None:
    quiet = np.array([0, 3_276, -1_000], np.int16)
    assert np.frombuffer(louder(quiet.tobytes()), np.int16).tolist() == [0, 32_767, -10_002]
    assert np.frombuffer(louder(np.array([5, -5], np.int16).tobytes()), np.int16).tolist() == [150, -150]
    assert louder(b"") == b""
    assert np.frombuffer(louder(np.array([-32_768], np.int16).tobytes()), np.int16).tolist() == [-32_767]


def test_bad_recordings_are_refused_as_everywhere(engine: PocketsphinxEngine, tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    with pytest.raises(NotAudioError):
        engine.transcribe(text, DecodingLimits(), lambda _: None)
    with pytest.raises(AudioTooLongError):
        engine.transcribe(DEMO, DecodingLimits(max_audio_seconds=5), lambda _: None)
    assert engine.transcribe(DEMO, DecodingLimits(), lambda _: None).text == DEMO_TEXT


def test_the_engine_is_loaded_by_its_name() -> None:
    assert isinstance(load_engine("pocketsphinx"), PocketsphinxEngine)


def test_voices_over_each_other_stay_within_the_budget_of_processor_time(listen: Listen) -> None:
    voices = [np.roll(speech(), round(shift * SAMPLE_RATE)) for shift in (0.0, 1.3, 3.1, 5.7)]
    babble = (np.sum(voices, axis=0, dtype=np.int32) // 3).clip(-32_767, 32_767).astype(np.int16)
    began = time.process_time()

    transcript = listen(babble[: 3 * SAMPLE_RATE])

    assert transcript.duration_seconds == pytest.approx(3)
    assert time.process_time() - began < CPU_SECONDS_TO_SPARE + 3 * CPU_SECONDS_PER_AUDIO_SECOND
