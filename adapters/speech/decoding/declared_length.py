"""Declared length of a recording, where it is reliable; a recording that holds less was truncated.

Reliable are the size of a wav, the frame count of an mp3 with a Xing or Info header, the sample count of a
flac, the track length of an mp4 and the duration of a webm. Others (ogg, aac, a live webm) declare none.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from adapters.speech.decoding.formats import end_of_id3_tags
from domain.model.errors import UndecodableAudioError

_UNKNOWN_WAV_SIZE = 0x7FFF0000
"""Bytes. Programs that write wav into a pipe declare 0x7FFFFFFF, 0xFFFFFFFF or similar for "unknown"."""
_MAX_WAV_CHUNKS = 64

_MPEG_1_RATE = 32_000
"""Hertz. At this rate and above an mp3 frame has 1152 samples, below it 576 (ISO 13818-3)."""
_XING_SEARCH = 4096
_HAS_FRAME_COUNT = 0x1

_TOLERANCE_SECONDS, _TOLERANCE_SHARE = 0.5, 0.01
"""Tolerated difference, as encoders pad and round: the larger of both."""


def check_complete(declared: float | None, decoded: float) -> None:
    """Refuse a truncated recording; both lengths are in seconds.

    Raises:
        UndecodableAudioError: the decoded length is shorter than the declared one.
    """
    if declared is not None and declared - decoded > max(_TOLERANCE_SECONDS, declared * _TOLERANCE_SHARE):
        raise UndecodableAudioError(
            f"The recording declares {declared:.1f} s, but only {decoded:.1f} s could be decoded: "
            "the recording is truncated."
        )


def wav_seconds(recording: Path) -> float | None:
    """Read the length that a wav's header declares; FFmpeg derives it from the file's size instead."""
    with recording.open("rb") as file:
        file.seek(12)
        bytes_per_second = 0
        for _ in range(_MAX_WAV_CHUNKS):
            name, size = _chunk(file)
            if name == b"data":
                known = bytes_per_second and 0 < size < _UNKNOWN_WAV_SIZE
                return size / bytes_per_second if known else None
            content = file.read(12) if name == b"fmt " else b""
            bytes_per_second = int.from_bytes(content[8:], "little") or bytes_per_second
            file.seek(size + size % 2 - len(content), 1)
    return None


def _chunk(file: BinaryIO) -> tuple[bytes, int]:
    header = file.read(8)
    return header[:4], int.from_bytes(header[4:], "little")


def mp3_seconds(recording: Path, sample_rate: int) -> float | None:
    """Read the length that an mp3's Xing or Info header declares; without one, FFmpeg would estimate."""
    with recording.open("rb") as file:
        file.seek(end_of_id3_tags(file))
        head = file.read(_XING_SEARCH)
    at = max(head.find(b"Xing"), head.find(b"Info"))
    if at < 0 or len(head) < at + 12:
        return None
    flags, frames = struct.unpack_from(">II", head, at + 4)
    samples_per_frame = 1152 if sample_rate >= _MPEG_1_RATE else 576
    return frames * samples_per_frame / sample_rate if flags & _HAS_FRAME_COUNT else None
