"""Voices: which of several sound tracks and channels are transcribed, and what the caller learns of it."""

from pathlib import Path

import pytest

from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.decoding.voices import MAX_VOICES, Voice, Voices, find_voices
from domain.model.errors import NotAudioError, UndecodableAudioError
from domain.model.result_warnings import WarningCode
from domain.model.transcripts import DEFAULT_OPTIONS, Channels, Tracks, TranscriptionOptions
from ports.transcriber_port import Progress
from tests.support.samples.recordings import (
    Samples,
    record,
    record_channels,
    record_video,
    silence,
    tone,
)

pytestmark = pytest.mark.speech

SEPARATE = TranscriptionOptions(channels=Channels.SEPARATE)
ALL = TranscriptionOptions(tracks=Tracks.ALL)


def _found(recording: Path, options: TranscriptionOptions = DEFAULT_OPTIONS) -> Voices:
    return find_voices(recording, DecodingLimits(), lambda _: None, options)


def _video(folder: Path, *sound_tracks: Samples, default_track: int = 0) -> Path:
    return record_video(folder / "video", sound_tracks=sound_tracks, default_track=default_track)


def test_a_usual_recording_has_one_voice_and_no_warning(tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", tone(1))
    one = Voices((Voice(0, None),), ())
    assert _found(recording) == _found(recording, ALL) == one


def test_of_several_tracks_the_default_one_is_taken(tmp_path: Path) -> None:
    assert _found(_video(tmp_path, tone(1), tone(1), default_track=1)).voices == (Voice(1, None),)
    assert _found(_video(tmp_path, tone(1), tone(1), default_track=0)).voices == (Voice(0, None),)


def test_a_silent_default_track_loses_to_the_first_with_sound(tmp_path: Path) -> None:
    assert _found(_video(tmp_path, silence(1), silence(1), tone(1), tone(1))).voices == (Voice(2, None),)


def test_where_all_tracks_are_silent_the_default_one_is_taken(tmp_path: Path) -> None:
    assert _found(_video(tmp_path, silence(1), silence(1), default_track=1)).voices == (Voice(1, None),)


def test_all_tracks_are_taken_on_request_in_their_order(tmp_path: Path) -> None:
    video = _video(tmp_path, silence(1), tone(1), default_track=1)
    assert _found(video, ALL).voices == (Voice(0, None), Voice(1, None))


@pytest.mark.parametrize(
    ("options", "detail"),
    [
        (DEFAULT_OPTIONS, "has 3 sound tracks; only track 2 was transcribed"),
        (ALL, "has 3 sound tracks; tracks 1, 2, 3 were transcribed"),
    ],
    ids=str,
)
def test_the_caller_learns_how_many_tracks_there_are(
    options: TranscriptionOptions, detail: str, tmp_path: Path
) -> None:
    (warning,) = _found(_video(tmp_path, silence(1), tone(1), tone(1), default_track=1), options).warnings
    assert warning.code is WarningCode.SEVERAL_TRACKS
    assert detail in warning.detail


def test_channels_are_voices_on_request(tmp_path: Path) -> None:
    recording = record_channels(tmp_path / "recording", tone(1), tone(1), tone(1))
    assert _found(recording).voices == (Voice(0, None),)
    assert _found(recording, SEPARATE).voices == (Voice(0, 0), Voice(0, 1), Voice(0, 2))


def test_every_channel_of_every_track_is_a_voice_on_request(tmp_path: Path) -> None:
    both = TranscriptionOptions(channels=Channels.SEPARATE, tracks=Tracks.ALL)
    voices = _found(_video(tmp_path, tone(1), tone(1)), both).voices
    assert voices == (Voice(0, 0), Voice(0, 1), Voice(1, 0), Voice(1, 1))


def test_too_many_voices_are_refused(tmp_path: Path) -> None:
    tracks = _video(tmp_path, *[tone(0.2)] * (MAX_VOICES + 1))
    assert len(_found(tracks).voices) == 1
    with pytest.raises(UndecodableAudioError, match=f"{MAX_VOICES + 1} voices"):
        _found(tracks, ALL)


def test_a_file_without_sound_track_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAudioError):
        _found(record_video(tmp_path / "video"))


def test_looking_for_sound_is_reported_by_the_second_without_a_length(tmp_path: Path) -> None:
    reports: list[Progress] = []
    video = _video(tmp_path, silence(5), tone(1))
    find_voices(video, DecodingLimits(), reports.append, DEFAULT_OPTIONS)
    assert len(reports) >= 5
    assert {report.total_seconds for report in reports} == {None}
    assert max(report.done_seconds for report in reports) >= 2
