"""Accepted formats, recognised by the first bytes of a recording before a decoder reads it.

FFmpeg's own detection is not enough: it takes a zip that contains an mp3 for that mp3, and follows playlists.
"""

from pathlib import Path
from typing import BinaryIO, NamedTuple

from adapters.speech.decoding.chunks import MP4, chunks
from adapters.speech.decoding.frames import HEADER_BYTES, MAX_FRAME_BYTES, first_frame
from adapters.speech.decoding.refused_files import refuse_known, unknown
from adapters.speech.decoding.signatures import ACCEPTED_SIGNATURES
from adapters.speech.decoding.tags import end_of_tags
from domain.model.errors import EmptyRecordingError

SEARCHED_BYTES = 64 * 1024
"""Bytes behind the tags in which a first frame is searched: FFmpeg searches as far."""

_QUICKTIME_ATOMS = frozenset(
    {b"ftyp", b"styp", b"moov", b"mdat", b"moof", b"wide", b"free", b"skip", b"pnot", b"udta", b"uuid"}
    | {b"PICT", b"sidx", b"prft", b"emsg", b"pdin", b"meta"}
)
_QUICKTIME_PROOF = frozenset({b"ftyp", b"moov", b"mdat", b"moof"})
_MAX_ATOMS = 16

_GSM_FRAME, _GSM_FRAMES, _GSM_MAGIC = 33, 8, 0xD0


class Format(NamedTuple):
    """Format of a recording."""

    demuxer: str  # name of FFmpeg's demuxer
    start: int = 0  # position of the first frame, behind tags and junk; 0 for a format with a container


def detect_format(recording: Path) -> Format:
    """Detect the format of a recording.

    Raises:
        EmptyRecordingError: the file is empty.
        UnsupportedFormatError: sound in a format that is not accepted.
        NotAudioError: anything else that is not accepted.
    """
    with recording.open("rb") as file:
        start = end_of_tags(file)
        file_bytes = file.seek(0, 2)
        if not file_bytes:
            raise EmptyRecordingError("The recording is empty.")
        file.seek(start)
        head = file.read(SEARCHED_BYTES + MAX_FRAME_BYTES + HEADER_BYTES)
        is_quicktime = _is_quicktime(file, start)
    refuse_known(head)
    container = _by_signature(head) or ("mov" if is_quicktime else None)
    if container:
        return Format(container)
    found = first_frame(head, SEARCHED_BYTES, file_bytes - start)
    if found:
        return Format(found[1].demuxer, start + found[0])
    if _is_gsm(head):
        return Format("gsm")
    raise unknown(head)


def _by_signature(head: bytes) -> str | None:
    return next((each.name for each in ACCEPTED_SIGNATURES if each.matches(head)), None)


def _is_quicktime(file: BinaryIO, start: int) -> bool:
    """Follow atoms that may come first to one that proves the format (ISO 14496-12, 4.2; QuickTime)."""
    for count, atom in enumerate(chunks(file, start, MP4)):
        if atom.name not in _QUICKTIME_ATOMS or count == _MAX_ATOMS:
            return False
        if atom.name in _QUICKTIME_PROOF:
            return True
    return False


def _is_gsm(head: bytes) -> bool:
    """Check for frames that begin with four fixed bits (GSM 06.10 as files keep it; they have no header)."""
    starts = head[: _GSM_FRAME * _GSM_FRAMES : _GSM_FRAME]
    return len(head) >= _GSM_FRAME * _GSM_FRAMES and all(byte & 0xF0 == _GSM_MAGIC for byte in starts)
