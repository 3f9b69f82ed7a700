"""Reading: a recording becomes units of speech, voice after voice, and a summary."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from adapters.speech.cutting.reading import RecordingReader
from adapters.speech.decoding.limits import DecodingLimits
from domain.model.errors import AudioTooLongError, NotAudioError
from domain.model.result_warnings import WarningCode
from domain.model.speech import SAMPLE_RATE, SpeechUnit
from domain.model.transcripts import DEFAULT_OPTIONS, Channels, Tracks, TranscriptionOptions
from ports.speech_source_port import SoundSummary
from ports.transcriber_port import Progress
from tests.support.samples.recordings import (
    DEMO,
    ENCODINGS,
    record,
    record_channels,
    record_video,
    silence,
    speech,
    tone,
)

pytestmark = pytest.mark.speech

SEPARATE = TranscriptionOptions(channels=Channels.SEPARATE)
ALL_TRACKS = TranscriptionOptions(tracks=Tracks.ALL)
LIMITS = DecodingLimits()


@pytest.fixture(scope="module")
def reader() -> RecordingReader:
    return RecordingReader()


def read(
    reader: RecordingReader,
    recording: Path,
    options: TranscriptionOptions = DEFAULT_OPTIONS,
    reports: list[Progress] | None = None,
) -> tuple[Sequence[SpeechUnit], SoundSummary]:
    listen = (lambda _: None) if reports is None else reports.append
    *units, summary = reader.read(recording, LIMITS, listen, options)
    assert isinstance(summary, SoundSummary)
    return [unit for unit in units if isinstance(unit, SpeechUnit)], summary


def test_speech_becomes_units_and_a_summary(reader: RecordingReader) -> None:
    units, summary = read(reader, DEMO)

    assert summary.duration_seconds == pytest.approx(len(speech()) / SAMPLE_RATE, abs=0.1)
    assert summary.is_audible
    assert sum(unit.speech_seconds for unit in units) > 0.6 * summary.duration_seconds
    assert {(unit.track, unit.channel) for unit in units} == {(None, None)}


def test_speech_behind_a_long_silence_is_found_at_its_place(reader: RecordingReader, tmp_path: Path) -> None:
    sound = np.concatenate([silence(60), speech(), silence(60)])

    units, summary = read(reader, record(tmp_path / "recording", sound))

    assert 59 < units[0].start_seconds < 62
    assert summary.duration_seconds == 120 + len(speech()) / SAMPLE_RATE


@pytest.mark.parametrize(("sound", "is_audible"), [(silence(5), False), (tone(5), True)])
def test_without_speech_the_summary_says_whether_there_is_sound(
    reader: RecordingReader,
    tmp_path: Path,
    sound: np.typing.NDArray[np.int16],
    is_audible: bool,  # noqa: FBT001
) -> None:
    units, summary = read(reader, record(tmp_path / "recording", sound))

    assert units == []
    assert summary == SoundSummary(5.0, is_audible)


def test_channels_are_read_one_after_another_with_their_numbers(
    reader: RecordingReader, tmp_path: Path
) -> None:
    first = np.concatenate([speech(), silence(10)])
    second = np.concatenate([silence(10), speech()])[: len(first)]

    units, summary = read(reader, record_channels(tmp_path / "call", first, second), SEPARATE)

    assert {unit.channel for unit in units} == {1, 2}
    assert [unit.channel for unit in units] == sorted(unit.channel or 0 for unit in units)
    assert min(unit.start_seconds for unit in units if unit.channel == 1) < 2
    assert min(unit.start_seconds for unit in units if unit.channel == 2) > 9
    assert summary.duration_seconds == len(first) / SAMPLE_RATE


def test_channels_in_opposite_phase_lose_nothing_when_they_are_mixed(
    reader: RecordingReader, tmp_path: Path
) -> None:
    units, _ = read(reader, record_channels(tmp_path / "call", speech(), -speech()))

    assert sum(unit.speech_seconds for unit in units) > 5


def test_all_tracks_have_their_numbers(reader: RecordingReader, tmp_path: Path) -> None:
    video = record_video(tmp_path / "video", sound_tracks=(silence(10), speech()))

    units, summary = read(reader, video, ALL_TRACKS)

    assert {unit.track for unit in units} == {2}
    assert [warning.code for warning in summary.warnings] == [WarningCode.SEVERAL_TRACKS]


@pytest.mark.parametrize("options", [DEFAULT_OPTIONS, SEPARATE], ids=["mixed", "separate"])
def test_progress_never_falls_and_reaches_the_end(
    reader: RecordingReader, tmp_path: Path, options: TranscriptionOptions
) -> None:
    reports: list[Progress] = []
    recording = record_channels(tmp_path / "call", speech(), speech())

    read(reader, recording, options, reports)

    assert all(before.done_seconds <= after.done_seconds for before, after in pairwise(reports))
    assert reports[-1].total_seconds == reports[-1].done_seconds
    totals = {round(report.total_seconds, 6) for report in reports if report.total_seconds is not None}
    assert len(totals) == 1


def test_progress_of_tracks_of_different_lengths_never_falls(reader: RecordingReader, tmp_path: Path) -> None:
    reports: list[Progress] = []
    video = record_video(tmp_path / "video", sound_tracks=(tone(8), tone(2), speech()))

    read(reader, video, ALL_TRACKS, reports)

    done = [report.done_seconds for report in reports]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(reports[-1].total_seconds, abs=0.5)


def test_without_a_threshold_all_sound_is_speech(tmp_path: Path) -> None:
    reader = RecordingReader(None)

    units, summary = read(reader, record(tmp_path / "recording", tone(40.01)))

    assert summary.duration_seconds == 40.01
    assert sum(unit.speech_seconds for unit in units) == pytest.approx(40.01)


def test_a_recording_is_known_by_its_content(reader: RecordingReader, tmp_path: Path) -> None:
    units, _ = read(reader, record(tmp_path / "letter.txt", speech(), ENCODINGS["mp3"]))

    assert units


def test_recordings_at_fault_are_refused(reader: RecordingReader, tmp_path: Path) -> None:
    (tmp_path / "letter.wav").write_text("no sound")
    with pytest.raises(NotAudioError):
        read(reader, tmp_path / "letter.wav")
    with pytest.raises(AudioTooLongError):
        list(reader.read(DEMO, DecodingLimits(max_audio_seconds=2), lambda _: None))


def test_reading_one_recording_does_not_change_the_next(reader: RecordingReader, tmp_path: Path) -> None:
    first = read(reader, DEMO)
    read(reader, record(tmp_path / "recording", tone(5)))

    assert read(reader, DEMO) == first
