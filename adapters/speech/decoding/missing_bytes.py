"""Truncated recordings, recognised by bytes that their headers declare and the file lacks.

Seconds are not evidence: recorders take them from the clock on the wall, and editors leave them as they were.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from adapters.speech.decoding import ebml
from adapters.speech.decoding.chunks import ASF, CAF, IFF, W64, Layout, chunks
from adapters.speech.decoding.formats import Format
from adapters.speech.decoding.frames import MAX_FRAME_BYTES, first_frame, frame_at
from adapters.speech.decoding.wav import read_wav_header
from adapters.speech.decoding.xing import read_xing_header
from domain.model.errors import UndecodableAudioError

_TOLERATED_BYTES, _TOLERATED_SHARE = 64, 0.01
"""Bytes that may be missing, as some writers count their header into the sound: the sum of both."""

_TAIL_BYTES = 64 * 1024
_AU_UNKNOWN = 0xFFFFFFFF
_ASF_HEADER_BYTES = 30
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_IS_LIVE = 1
_W64_DATA = b"data" + bytes.fromhex("f3acd3118cd100c04f8edb8a")


def check_complete(recording: Path, recognised: Format, end_of_last_sample: int | None = None) -> None:
    """Refuse a recording that lacks its end; one that declares no end may end anywhere.

    `end_of_last_sample` is the position behind the sound, where the container's index gives it (mp4).

    Raises:
        UndecodableAudioError: bytes are missing.
    """
    declared = end_of_last_sample or _END_OF_SOUND.get(recognised.demuxer, _unknown)(recording, recognised)
    size = recording.stat().st_size
    if declared is not None and declared - size > _TOLERATED_BYTES + _TOLERATED_SHARE * declared:
        raise _truncated(f"its header declares {declared:,} bytes, but only {size:,} are there")
    if recognised.demuxer == "matroska" and _ends_in_block(recording):
        raise _truncated("it declares its length, but ends within a block")


def _truncated(evidence: str) -> UndecodableAudioError:
    return UndecodableAudioError(f"The recording is truncated: {evidence}. Send the complete file.")


def _unknown(_recording: Path, _recognised: Format) -> int | None:
    return None


def _end_of_wav(recording: Path, _recognised: Format) -> int | None:
    header = read_wav_header(recording)
    return header.sound.end if header and header.sound.size else None


def _end_of_chunk(name: bytes, first: int, layout: Layout) -> Callable[[Path, Format], int | None]:
    """Build a function that returns the end of one chunk, if it is declared."""

    def end(recording: Path, _recognised: Format) -> int | None:
        with recording.open("rb") as file:
            found = next((chunk for chunk in chunks(file, first, layout) if chunk.name == name), None)
        return found.end if found and found.size > 0 else None

    return end


def _end_of_au(recording: Path, _recognised: Format) -> int | None:
    """Read offset and size of the sound, the second and third number of the header."""
    with recording.open("rb") as file:
        header = file.read(12)
    offset, size = (int.from_bytes(header[at : at + 4], "big") for at in (4, 8))
    return offset + size if size != _AU_UNKNOWN else None


def _end_of_asf(recording: Path, _recognised: Format) -> int | None:
    """Read the size of the file from its properties (ASF specification, 3.2), unless it was a live stream."""
    with recording.open("rb") as file:
        for chunk in chunks(file, _ASF_HEADER_BYTES, ASF):
            if chunk.name == _ASF_PROPERTIES:
                file.seek(chunk.start)
                properties = file.read(68)
                is_live = int.from_bytes(properties[64:], "little") & _ASF_IS_LIVE
                return None if is_live else int.from_bytes(properties[16:24], "little")
    return None


def _end_of_webm(recording: Path, _recognised: Format) -> int | None:
    with recording.open("rb") as file:
        segment = next((each for each in ebml.elements(file) if each.name == ebml.SEGMENT), None)
    return segment.start + segment.size if segment and segment.size is not None else None


def _ends_in_block(recording: Path) -> bool:
    """Check a webm of open size whose length was added later, as browsers' scripts do."""
    has_length = False
    with recording.open("rb") as file:
        size = file.seek(0, 2)
        for element in ebml.elements(file):
            has_length = has_length or element.name == ebml.DURATION
            if element.name == ebml.CLUSTER and not has_length:
                return False
            if element.name != ebml.SEGMENT and element.ends_behind(size):
                return has_length
    return False


def _end_of_mp3(recording: Path, recognised: Format) -> int | None:
    """Take the size in the header only if the last frame is cut as well: editors keep the header.

    They cut between two frames, a broken upload ends anywhere. The rest of a frame that is shorter than its
    header counts as none.
    """
    header = read_xing_header(recording, recognised.start)
    if header is None or not header.sound_bytes or not _ends_in_frame(recording, recognised.start):
        return None
    return recognised.start + header.sound_bytes


def _ends_in_frame(recording: Path, start: int) -> bool:
    with recording.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(start, size - _TAIL_BYTES))
        tail = file.read()
    found = first_frame(tail, MAX_FRAME_BYTES, len(tail))
    at = found[0] if found else len(tail)
    while (frame := frame_at(tail, at)) is not None:
        at += frame.size
    return at > len(tail)


_END_OF_SOUND: Mapping[str, Callable[[Path, Format], int | None]] = {
    "wav": _end_of_wav,
    "w64": _end_of_chunk(_W64_DATA, 40, W64),
    "aiff": _end_of_chunk(b"SSND", 12, IFF),
    "caf": _end_of_chunk(b"data", 8, CAF),
    "au": _end_of_au,
    "asf": _end_of_asf,
    "matroska": _end_of_webm,
    "mp3": _end_of_mp3,
}
