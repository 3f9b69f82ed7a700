"""How long a recording says it is, where it can be believed. What holds less was cut off on its way.

Believed are the size of a wav, the frame count of an mp3 with a Xing or Info header, the sample count of a
flac, the track length of an mp4 and the duration of a webm. All else (ogg, aac, a live webm) says nothing.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from adapters.speech.decoding.formats import end_of_id3_tags
from domain.model.errors import UndecodableAudioError

_UNKNOWN_WAV_SIZE = 0x7FFF0000
"""Bytes. Whoever writes wav into a pipe puts 0x7FFFFFFF, 0xFFFFFFFF or thereabouts, for "unknown"."""
_MAX_WAV_CHUNKS = 64

_MPEG_1_RATE = 32_000
"""Hertz. From here on an mp3 frame has 1152 samples, below it 576 (ISO 13818-3)."""
_XING_SEARCH = 4096
_HAS_FRAME_COUNT = 0x1

_TOLERANCE_SECONDS, _TOLERANCE_SHARE = 0.5, 0.01
"""Encoders pad and round; nobody misses half a second, or a hundredth."""


def check_complete(declared: float | None, decoded: float) -> None:
    """Refuse a recording of which a part is missing; both lengths in seconds.

    Raises:
        UndecodableAudioError: it was cut off.
    """
    if declared is not None and declared - decoded > max(_TOLERANCE_SECONDS, declared * _TOLERANCE_SHARE):
        raise UndecodableAudioError(
            f"The recording declares {declared:.1f} s, but only {decoded:.1f} s could be decoded: "
            "the recording is truncated."
        )


def wav_seconds(recording: Path) -> float | None:
    """What the header of a wav declares; FFmpeg itself goes by the size of the file."""
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
    """What the Xing or Info header of an mp3 declares; FFmpeg estimates where there is none."""
    with recording.open("rb") as file:
        file.seek(end_of_id3_tags(file))
        head = file.read(_XING_SEARCH)
    at = max(head.find(b"Xing"), head.find(b"Info"))
    if at < 0 or len(head) < at + 12:
        return None
    flags, frames = struct.unpack_from(">II", head, at + 4)
    samples_per_frame = 1152 if sample_rate >= _MPEG_1_RATE else 576
    return frames * samples_per_frame / sample_rate if flags & _HAS_FRAME_COUNT else None
