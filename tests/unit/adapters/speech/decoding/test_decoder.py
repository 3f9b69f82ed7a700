"""Decoding of all supported formats, with the valid peculiarities of each."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from adapters.speech.decoding.decoder import decode
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.sound.blocks import BLOCK_SAMPLES, BYTES_PER_SAMPLE, SAMPLE_RATE
from domain.model.errors import AudioTooLongError
from ports.transcriber_port import Progress
from tests.support.samples.recordings import (
    ENCODINGS,
    Encoding,
    record,
    record_channels,
    record_video,
    record_with_cover,
    record_with_gap,
    silence,
    speech,
    tone,
    wav_bytes,
)

pytestmark = pytest.mark.speech

LIMITS = DecodingLimits()


def _decoded(recording: Path, limits: DecodingLimits = LIMITS) -> bytes:
    return b"".join(decode(recording, limits, lambda _: None))


def _seconds(samples: bytes) -> float:
    return len(samples) / BYTES_PER_SAMPLE / SAMPLE_RATE


def _concatenated(folder: Path, *encodings: Encoding) -> Path:
    """Record two seconds in each encoding."""
    parts = [record(folder / str(n), tone(2), encoding).read_bytes() for n, encoding in enumerate(encodings)]
    whole = folder / "concatenated"
    whole.write_bytes(b"".join(parts))
    return whole


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_supported_format_decodes_to_its_full_length(name: str, tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", tone(5), ENCODINGS[name])
    assert _seconds(_decoded(recording)) == pytest.approx(5, abs=0.13)  # encoders fill their last block


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_supported_format_decodes_to_the_sound_that_was_recorded(name: str, tmp_path: Path) -> None:
    samples = np.frombuffer(_decoded(record(tmp_path / "recording", tone(4), ENCODINGS[name])), np.int16)
    middle = samples[SAMPLE_RATE : 3 * SAMPLE_RATE].astype(float)
    loudest = int(np.abs(np.fft.rfft(middle)).argmax()) / 2
    assert loudest == pytest.approx(440, abs=1)


def test_a_format_is_detected_by_content_not_by_name(tmp_path: Path) -> None:
    recording = record(tmp_path / "holiday.jpg", tone(1), ENCODINGS["flac"])
    assert _seconds(_decoded(recording)) == pytest.approx(1)


def test_a_name_that_means_something_to_ffmpeg_means_nothing_here(tmp_path: Path) -> None:
    recording = record(tmp_path / "plain", tone(1))
    odd = recording.rename(tmp_path / "concat:a|b %03d.wav")
    assert _seconds(_decoded(odd)) == pytest.approx(1)


def test_blocks_are_of_one_bounded_size(tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", tone(10), ENCODINGS["mp3"])
    sizes = [len(block) for block in decode(recording, LIMITS, lambda _: None)]
    assert set(sizes[:-1]) == {BLOCK_SAMPLES * BYTES_PER_SAMPLE}
    assert sizes[-1] <= BLOCK_SAMPLES * BYTES_PER_SAMPLE


def test_progress_counts_up_to_the_length_of_the_recording(tmp_path: Path) -> None:
    reports: list[Progress] = []
    list(decode(record(tmp_path / "recording", silence(30), ENCODINGS["m4a"]), LIMITS, reports.append))
    done = [report.done_seconds for report in reports]
    assert reports[0] == Progress(0.0, None)
    assert done == sorted(done)
    assert len(done) >= 30
    assert reports[-1].total_seconds == pytest.approx(30, abs=0.1)
    assert reports[-1].done_seconds == pytest.approx(30, abs=0.1)


def test_the_sound_track_of_a_video_is_decoded(tmp_path: Path) -> None:
    video = record_video(tmp_path / "video", sound_tracks=(tone(3),), seconds=2)
    assert _seconds(_decoded(video)) == pytest.approx(3, abs=0.06)


def test_a_sound_track_may_end_before_its_pictures(tmp_path: Path) -> None:
    video = record_video(tmp_path / "video", sound_tracks=(tone(1),), seconds=8)
    assert _seconds(_decoded(video)) == pytest.approx(1, abs=0.06)


def test_each_of_several_sound_tracks_can_be_decoded(tmp_path: Path) -> None:
    video = record_video(tmp_path / "video", sound_tracks=(tone(2), silence(1)))
    first, second = (b"".join(decode(video, LIMITS, lambda _: None, track=track)) for track in (0, 1))
    assert _seconds(first) == pytest.approx(2, abs=0.06)
    assert _seconds(second) == pytest.approx(1, abs=0.06)
    assert any(first)
    assert not any(second)


def test_one_channel_can_be_decoded(tmp_path: Path) -> None:
    recording = record_channels(tmp_path / "recording", silence(2), speech()[: 2 * SAMPLE_RATE])
    first, second = (b"".join(decode(recording, LIMITS, lambda _: None, channel=number)) for number in (0, 1))
    assert not any(first)
    assert second == _decoded(recording)


@pytest.mark.parametrize("name", ["webm", "mp4", "ogg with opus"])
def test_a_gap_in_the_timestamps_is_silence(name: str, tmp_path: Path) -> None:
    recording = record_with_gap(tmp_path / "recording", tone(4), ENCODINGS[name], at=2, seconds=20)
    samples = np.frombuffer(_decoded(recording), np.int16)
    assert len(samples) / SAMPLE_RATE == pytest.approx(24, abs=0.1)
    assert not samples[3 * SAMPLE_RATE : 21 * SAMPLE_RATE].any()
    assert samples[:SAMPLE_RATE].any()
    assert samples[-SAMPLE_RATE:].any()


def test_sound_that_begins_after_the_pictures_is_preceded_by_silence(tmp_path: Path) -> None:
    video = record_video(tmp_path / "video", sound_tracks=(tone(2),), seconds=8, sound_starts=5)
    samples = np.frombuffer(_decoded(video), np.int16)
    assert len(samples) / SAMPLE_RATE == pytest.approx(7, abs=0.1)
    assert not samples[: int(4.9 * SAMPLE_RATE)].any()
    assert samples[int(5.1 * SAMPLE_RATE) :].any()


def test_a_gap_counts_as_length(tmp_path: Path) -> None:
    recording = record_with_gap(tmp_path / "recording", tone(4), ENCODINGS["webm"], at=2, seconds=500_000)
    with pytest.raises(AudioTooLongError, match="14400 s"):
        _decoded(recording)


def test_progress_of_a_recording_with_a_gap_counts_up_to_its_length(tmp_path: Path) -> None:
    recording = record_with_gap(tmp_path / "recording", tone(4), ENCODINGS["webm"], at=2, seconds=20)
    reports: list[Progress] = []
    list(decode(recording, LIMITS, reports.append))
    done = [report.done_seconds for report in reports]
    assert done == sorted(done)
    assert len(done) >= 24
    assert reports[-1].total_seconds == pytest.approx(24, abs=0.1)
    assert reports[-1].done_seconds == pytest.approx(24, abs=0.1)


def test_samples_that_are_no_number_do_no_harm(tmp_path: Path) -> None:
    sound = (speech()[: 4 * SAMPLE_RATE] / 2**15).astype("<f4")
    sound[:3] = np.nan, np.inf, 1e38
    recording = tmp_path / "recording"
    recording.write_bytes(wav_bytes(sound.tobytes(), tag=3, bits=32))
    samples = np.frombuffer(_decoded(recording), np.int16)
    assert np.abs(samples[3 * SAMPLE_RATE // 2 :]).max() > 3_000


@pytest.mark.parametrize("encoding", [ENCODINGS["mp3"], ENCODINGS["flac"], ENCODINGS["mp4"]], ids=str)
def test_a_cover_is_not_in_the_way_of_the_sound(encoding: Encoding, tmp_path: Path) -> None:
    recording = record_with_cover(tmp_path / "recording", tone(3), encoding)
    assert _seconds(_decoded(recording)) == pytest.approx(3, abs=0.06)


def test_titles_that_are_no_utf_8_are_not_in_the_way_of_the_sound(tmp_path: Path) -> None:
    title = b"\x03\xff\xfe\xc3\x28"
    frame = b"TIT2" + struct.pack(">IH", len(title), 0) + title
    tag = b"ID3\x03\0\0\0\0\0" + bytes([len(frame)]) + frame
    recording = tmp_path / "recording"
    recording.write_bytes(tag + record(tmp_path / "untitled", tone(3), ENCODINGS["mp3"]).read_bytes())
    assert _seconds(_decoded(recording)) == pytest.approx(3, abs=0.06)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ENCODINGS["mp3"], ENCODINGS["mp3 at a low rate"]),
        (ENCODINGS["mp3 at a low rate"], ENCODINGS["mp3"]),
        (ENCODINGS["aac"], Encoding("adts", "aac", 16_000)),
        (ENCODINGS["aac"], Encoding("adts", "aac", 48_000, "5.1")),
        (ENCODINGS["ogg with vorbis"], ENCODINGS["ogg with vorbis"]),
    ],
    ids=str,
)
def test_rate_and_channels_may_change_on_the_way(first: Encoding, second: Encoding, tmp_path: Path) -> None:
    samples = np.frombuffer(_decoded(_concatenated(tmp_path, first, second)), np.int16)
    assert len(samples) / SAMPLE_RATE == pytest.approx(4, abs=0.25)
    last_second = samples[-SAMPLE_RATE:].astype(float)
    assert int(np.abs(np.fft.rfft(last_second)).argmax()) == pytest.approx(440, abs=2)


def test_a_broken_packet_is_skipped(tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", tone(10), ENCODINGS["m4a"])
    content = bytearray(recording.read_bytes())
    at = len(content) // 2
    content[at : at + 400] = b"\xff" * 400
    recording.write_bytes(content)
    assert _seconds(_decoded(recording)) == pytest.approx(10, abs=0.3)


@pytest.mark.parametrize("declared_size", [0, 0x7FFFFFFF, 0xFFFFFFFF], ids=hex)
def test_a_wav_from_a_pipe_that_does_not_know_its_size_is_taken_as_it_is(
    declared_size: int, tmp_path: Path
) -> None:
    recording = tmp_path / "recording"
    recording.write_bytes(wav_bytes(tone(1).tobytes(), declared_size=declared_size))
    assert _seconds(_decoded(recording)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("encoding", "options"),
    [
        (ENCODINGS["webm"], {"live": "1"}),
        (Encoding("matroska", "pcm_s16le"), {"live": "1"}),
        (ENCODINGS["mp3"], {"write_xing": "0"}),
        (ENCODINGS["mp4"], {"movflags": "frag_keyframe+empty_moov", "frag_duration": "500000"}),
        (ENCODINGS["ogg with opus"], {}),
        (ENCODINGS["aac"], {}),
    ],
    ids=str,
)
def test_a_recording_that_declares_no_length_may_end_anywhere(
    encoding: Encoding, options: dict[str, str], tmp_path: Path
) -> None:
    recording = record(tmp_path / "recording", tone(8), encoding, options=options)
    content = recording.read_bytes()
    recording.write_bytes(content[: len(content) * 3 // 4])
    assert _seconds(_decoded(recording)) == pytest.approx(6, abs=1.1)


def test_channels_are_mixed_to_one(tmp_path: Path) -> None:
    frames = np.zeros((SAMPLE_RATE, 6), np.int16)
    frames[:, 2] = tone(1)
    recording = tmp_path / "recording"
    recording.write_bytes(wav_bytes(frames.tobytes(), channels=6))
    samples = np.frombuffer(_decoded(recording), np.int16)
    assert len(samples) == SAMPLE_RATE
    assert samples.any()


def test_speech_survives_every_step(tmp_path: Path) -> None:
    samples = np.frombuffer(_decoded(record(tmp_path / "recording", speech())), np.int16)
    assert len(samples) == len(speech())
    assert np.corrcoef(samples, speech())[0, 1] > 0.95


MEASURE_PEAK = """
import sys
from pathlib import Path
from adapters.speech.decoding.decoder import decode
from adapters.speech.decoding.limits import DecodingLimits
for _ in decode(Path(sys.argv[1]), DecodingLimits(), lambda _: None): pass
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def _peak_kilobytes(recording: Path) -> int:
    program = [sys.executable, "-c", MEASURE_PEAK, str(recording)]
    return int(subprocess.run(program, check=True, capture_output=True, text=True).stdout)


def test_a_wav_whose_samples_look_like_another_format_is_a_wav(tmp_path: Path) -> None:
    mp3 = record(tmp_path / "a", tone(10), ENCODINGS["mp3"]).read_bytes()
    recording = tmp_path / "mp3 as samples"
    recording.write_bytes(wav_bytes(mp3[: len(mp3) // 2 * 2]))

    assert _seconds(_decoded(recording)) == pytest.approx(len(mp3) / 2 / SAMPLE_RATE, abs=0.1)


@pytest.mark.process
@pytest.mark.parametrize("name", ["wav", "mp3 at a low rate"])
def test_decoding_takes_the_same_memory_for_long_recordings_as_for_short_ones(
    name: str, tmp_path: Path
) -> None:
    short = _peak_kilobytes(record(tmp_path / "short", tone(10), ENCODINGS[name]))
    long = _peak_kilobytes(record(tmp_path / "long", tone(400), ENCODINGS[name]))
    assert long - short < 4_000  # its samples alone are 12,800
