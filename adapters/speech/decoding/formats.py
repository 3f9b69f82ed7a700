"""Accepted formats, recognised by the first bytes of a recording before a decoder reads it.

FFmpeg's own detection is not enough: it takes a zip that contains an mp3 for that mp3, and follows playlists.
"""

from pathlib import Path
from typing import BinaryIO, NamedTuple

from domain.model.errors import EmptyRecordingError, NotAudioError

_ACCEPTED = "wav, flac, mp3, m4a, aac, ogg, webm and mp4"
_ID3_HEADER = 10
_MAX_ID3_TAGS = 8
_HEAD = 4096


class _Signature(NamedTuple):
    offset: int
    magic: bytes
    demuxer: str


_SIGNATURES = (
    _Signature(0, b"fLaC", "flac"),
    _Signature(0, b"OggS", "ogg"),
    _Signature(0, b"\x1a\x45\xdf\xa3", "matroska"),
    _Signature(4, b"ftyp", "mov"),
    _Signature(4, b"moov", "mov"),
    _Signature(4, b"mdat", "mov"),
    _Signature(8, b"WAVE", "wav"),
)


def demuxer_of(recording: Path) -> str:
    """Detect the format of a recording, as the name of FFmpeg's demuxer.

    Raises:
        EmptyRecordingError: the file is empty.
        NotAudioError: the first bytes match no supported format.
    """
    with recording.open("rb") as file:
        file.seek(end_of_id3_tags(file))
        head = file.read(_HEAD)
        if not head and not file.tell():
            raise EmptyRecordingError("The recording is empty.")
    demuxer = _by_signature(head) or _by_frame_sync(head.lstrip(b"\0"))  # some taggers pad
    if demuxer is None:
        raise NotAudioError(f"The file is not a recording in a supported format ({_ACCEPTED}).")
    return demuxer


def end_of_id3_tags(file: BinaryIO) -> int:
    """Return the position of the sound in an mp3 or aac, behind titles and cover art (ID3v2.4, 3.1)."""
    end = 0
    for _ in range(_MAX_ID3_TAGS):
        file.seek(end)
        header = file.read(_ID3_HEADER)
        if len(header) < _ID3_HEADER or not header.startswith(b"ID3"):
            break
        size = 0
        for byte in header[6:]:
            size = size << 7 | byte & 0x7F
        end += _ID3_HEADER + size
    return end


def _by_signature(head: bytes) -> str | None:
    for signature in _SIGNATURES:
        if head.startswith(signature.magic, signature.offset):
            is_riff = head.startswith((b"RIFF", b"RF64"))
            return signature.demuxer if is_riff or signature.demuxer != "wav" else None
    return None


def _by_frame_sync(head: bytes) -> str | None:
    """Detect a frame by its eleven set bits; its layer tells mp3 from aac (ISO 11172-3, 13818-7)."""
    if len(head) < 2 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:  # noqa: PLR2004 - the sync word
        return None
    layer = head[1] >> 1 & 0b11
    return "mp3" if layer else "aac"
