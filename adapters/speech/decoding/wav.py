"""Header of a wav, which recorders fill in wrongly more often than any other."""

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

from adapters.speech.decoding.chunks import RIFF, RIFX, Chunk, Layout, chunks
from adapters.speech.decoding.tags import end_of_tags

_LIST_START = 12  # bytes before the first chunk
_CHUNK_HEADER = 8
_UNKNOWN_SIZE = 0x7FFF0000
"""Bytes. Programs that write wav into a pipe declare 0x7FFFFFFF, 0xFFFFFFFF or similar for "unknown"."""
_IN_DS64 = 0xFFFFFFFF
"""Size of a chunk whose size stands in the chunk `ds64` (EBU Tech 3306, ITU-R BS.2088)."""

_BLOCK_IS_SAMPLE = frozenset({0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE})
"""Codes of PCM, float, A-law, mu-law and "extensible", whose blocks hold one sample of each channel."""


class WavHeader(NamedTuple):
    """Declarations of a wav's header."""

    sound: Chunk  # its size is 0 if it is unknown
    bytes_per_second: float  # 0 if it is unknown

    @property
    def seconds(self) -> float | None:
        """Declared length."""
        return self.sound.size / self.bytes_per_second if self.bytes_per_second and self.sound.size else None


def read_wav_header(recording: Path) -> WavHeader | None:
    """Read the header; None if it cannot be read, which FFmpeg will report."""
    with recording.open("rb") as file:
        start = end_of_tags(file)
        file.seek(start)
        layout = RIFX if file.read(4) == b"RIFX" else RIFF
        bytes_per_second, size_in_ds64 = 0.0, 0
        for chunk in chunks(file, start + _LIST_START, layout):
            if chunk.name == b"data":
                size = size_in_ds64 if chunk.size == _IN_DS64 else chunk.size
                known = 0 < size < _UNKNOWN_SIZE or chunk.size == _IN_DS64
                return WavHeader(chunk._replace(size=size if known else 0), bytes_per_second)
            if chunk.name == b"ds64":
                size_in_ds64 = int.from_bytes(_content(file, chunk, 16)[8:], "little")
            elif chunk.name == b"fmt ":
                bytes_per_second = _bytes_per_second(_content(file, chunk, 14), layout)
    return None


def sound_goes_on(recording: Path) -> bool:
    """Check whether the sound goes on behind its declared end: no other chunk begins there."""
    header = read_wav_header(recording)
    if header is None or not header.sound.size:
        return False
    end = header.sound.end
    with recording.open("rb") as file:
        return not any(_is_chunk_or_end(file, at) for at in (end, end + end % 2))  # not all writers pad


def _is_chunk_or_end(file: BinaryIO, at: int) -> bool:
    file_end = file.seek(0, 2)
    if at + _CHUNK_HEADER > file_end:
        return True
    file.seek(at)
    name, size = file.read(4), file.read(4)
    fits = at + min(int.from_bytes(size, "little"), int.from_bytes(size, "big")) <= file_end
    return fits and all(0x20 <= byte < 0x7F for byte in name)  # noqa: PLR2004 - printable ASCII


def _bytes_per_second(form: bytes, layout: Layout) -> float:
    """Multiply blocks and rate where a block is a sample: the declared product is often wrong."""
    if len(form) < 14:  # noqa: PLR2004 - the fields of every `fmt `
        return 0.0
    order = "<" if layout is RIFF else ">"
    code, _, rate, per_second, block = struct.unpack(order + "HHIIH", form)
    return float(rate * block if code in _BLOCK_IS_SAMPLE else per_second)


def _content(file: BinaryIO, chunk: Chunk, size: int) -> bytes:
    file.seek(chunk.start)
    return file.read(min(size, chunk.size))
