"""Copies as players read them: whole, of the right length, with the index first, and their peaks."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest

from adapters.speech.decoding.chunks import MP4, chunks
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.playback.copying import RATE, playback_copy
from adapters.speech.playback.pieces import MAX_PIECE_BYTES, CopyPiece, CopySummary
from domain.model.errors import AudioTooLongError, NotAudioError, RecordingError, UndecodableAudioError
from tests.support.samples.handmade import accepted, amr
from tests.support.samples.recordings import (
    ENCODINGS,
    SAMPLE_RATE,
    Samples,
    record,
    record_channels,
    record_video,
    record_with_gap,
    silence,
    tone,
    wav_bytes,
)

pytestmark = pytest.mark.speech

LIMITS = DecodingLimits()


class Made(NamedTuple):
    """A copy, and what is known of it."""

    content: bytes
    summary: CopySummary

    def samples(self) -> Samples:
        """Decode the copy."""
        with av.open(io.BytesIO(self.content), "r") as container:
            frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
        return np.concatenate(frames)

    def seconds(self) -> float:
        """Return the length that the copy declares."""
        with av.open(io.BytesIO(self.content), "r") as container:
            assert container.duration is not None
            return container.duration / av.time_base

    def heard(self, start: float, end: float) -> bool:
        """Tell whether there is sound from one second to another."""
        stretch = self.samples()[int(start * RATE) : int(end * RATE)]
        return bool(np.abs(stretch).max() > 0.05)


def made_of(recording: Path, limits: DecodingLimits = LIMITS) -> Made:
    *pieces, summary = playback_copy(recording, limits, lambda _: None)
    assert isinstance(summary, CopySummary)
    parts = [each for each in pieces if isinstance(each, CopyPiece)]
    assert len(parts) == len(pieces)
    assert max(len(each.content) for each in parts) <= MAX_PIECE_BYTES
    head, sound = (
        b"".join(each.content for each in parts if each.is_head is wanted) for wanted in (True, False)
    )
    return Made(head + sound, summary)


def vbr_mp3(path: Path, samples: Samples) -> Path:
    """Write an mp3 whose frames have as many bits as they need, without a header that says so."""
    options = {"flags": "+qscale", "global_quality": str(4 * 118)}
    with av.open(str(path), "w", format="mp3", options={"write_xing": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=44_100, layout="mono", options=options)
        resampler = av.AudioResampler(stream.codec_context.format, "mono", 44_100)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "mono")
        frame.sample_rate = SAMPLE_RATE
        for each in (frame, None):
            for resampled in resampler.resample(each):
                container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    return path


def noise(seconds: float) -> Samples:
    return np.random.default_rng(1).integers(-9_000, 9_000, int(seconds * SAMPLE_RATE)).astype(np.int16)


def boxes(content: bytes) -> list[bytes]:
    return [each.name for each in chunks(io.BytesIO(content), 0, MP4)]


def amr_file(path: Path) -> Path:
    path.write_bytes(amr(20.0))
    return path


@pytest.mark.parametrize(
    "write",
    [
        lambda path: vbr_mp3(path, np.concatenate((silence(10), noise(5), tone(5)))),
        lambda path: record(path, tone(20)),
        lambda path: record(path, tone(20), ENCODINGS["wav in float and stereo"]),
        lambda path: record(path, tone(20), ENCODINGS["aiff"]),
        amr_file,
    ],
    ids=["vbr mp3", "wav", "wav in stereo", "aiff", "amr"],
)
def test_a_copy_plays_as_long_as_its_recording_and_begins_with_its_index(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    made = made_of(write(tmp_path / "recording"))

    assert boxes(made.content) == [b"ftyp", b"moov", b"mdat"]
    assert abs(made.seconds() - 20) < 0.1
    assert abs(len(made.samples()) / RATE - 20) < 0.1
    assert abs(made.summary.duration_seconds - 20) < 0.1


def test_the_sound_of_a_vbr_mp3_is_where_it_was(tmp_path: Path) -> None:
    made = made_of(vbr_mp3(tmp_path / "recording", np.concatenate((silence(30), noise(2), silence(8)))))

    assert [made.heard(*each) for each in ((0, 29.9), (30.1, 31.9), (32.1, 39))] == [False, True, False]


def test_every_accepted_format_is_copied(tmp_path: Path) -> None:
    for name, content in accepted(tmp_path, 2.0):
        (tmp_path / "upload").write_bytes(content)

        made = made_of(tmp_path / "upload")

        assert abs(made.seconds() - 2) < 0.2, name
        assert boxes(made.content) == [b"ftyp", b"moov", b"mdat"], name


def test_a_long_copy_has_fifty_six_kilobits_a_second_and_all_of_its_sound(tmp_path: Path) -> None:
    made = made_of(record(tmp_path / "recording", np.tile(noise(60), 10)))

    assert 0.7 < len(made.content) * 8 / 600 / 56_000 < 1.2
    assert abs(len(made.samples()) / RATE - 600) < 0.1


def test_a_gap_in_the_timestamps_is_silence_as_in_the_transcript(tmp_path: Path) -> None:
    made = made_of(record_with_gap(tmp_path / "r", tone(4), ENCODINGS["webm"], at=2.0, seconds=3.0))

    assert abs(made.seconds() - 7) < 0.1
    assert [made.heard(*each) for each in ((0.1, 1.9), (2.2, 4.8), (5.2, 6.8))] == [True, False, True]


def test_channels_of_opposite_polarity_do_not_cancel_each_other_out(tmp_path: Path) -> None:
    made = made_of(record_channels(tmp_path / "recording", tone(3), -tone(3)))

    assert made.heard(0.1, 2.9)


def test_the_track_that_is_transcribed_is_copied(tmp_path: Path) -> None:
    video = record_video(tmp_path / "video", sound_tracks=(silence(2), tone(2)), seconds=2.0, default_track=1)

    assert made_of(video).heard(0.1, 1.9)


def test_a_truncated_recording_is_copied_up_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "recording").write_bytes(wav_bytes(tone(2).tobytes(), declared_size=320_000))

    assert abs(made_of(tmp_path / "recording").seconds() - 2) < 0.1


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"sound", NotAudioError),
        (wav_bytes(b""), UndecodableAudioError),
        (wav_bytes(tone(3).tobytes()), AudioTooLongError),
    ],
    ids=["no recording", "no sound", "too long"],
)
def test_other_recordings_are_refused(tmp_path: Path, content: bytes, error: type[RecordingError]) -> None:
    (tmp_path / "recording").write_bytes(content)

    with pytest.raises(error):
        made_of(tmp_path / "recording", DecodingLimits(max_audio_seconds=2.0))


def test_progress_is_reported_while_a_copy_is_made(tmp_path: Path) -> None:
    reported: list[float] = []
    recording = record(tmp_path / "recording", tone(10))

    list(playback_copy(recording, LIMITS, lambda progress: reported.append(progress.done_seconds)))

    assert reported == sorted(reported)
    assert len(reported) >= 10
