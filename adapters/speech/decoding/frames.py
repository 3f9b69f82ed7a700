"""Frames of recordings without a container: MPEG layers 2 and 3, AAC (ADTS) and AC-3.

A frame is recognised by its header, and confirmed by a second one of the same kind right behind it: two bytes
of a sync word alone stand in every file.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

HEADER_BYTES = 6
"""Bytes of the longest header that is read here."""

MAX_FRAME_BYTES = 8191
"""Length of the longest frame: 13 bits of an ADTS header."""

_SYNC_WORDS = re.compile(rb"\xff[\xe0-\xff]|\x0b\x77")
_MPEG_RATES = (44_100, 48_000, 32_000)
_MPEG_1, _MPEG_2, _MPEG_2_5 = 0b11, 0b10, 0b00
_MPEG_DIVISORS = {_MPEG_1: 1, _MPEG_2: 2, _MPEG_2_5: 4}
_LAYER_2, _LAYER_3 = 0b10, 0b01
_MPEG_KILOBITS = {
    (True, _LAYER_2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, _LAYER_3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, _LAYER_2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, _LAYER_3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_AC3_KILOBITS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_AC3_RATES = (48_000, 44_100, 32_000)
_MAX_AC3_ID, _MAX_EAC3_ID = 10, 16


class Frame(NamedTuple):
    """One frame, as its header describes it."""

    demuxer: str  # FFmpeg's name of the format
    size: int  # bytes, the header included
    kind: tuple[int, ...]  # equal for all frames of a recording

    def confirms(self, first: "Frame") -> bool:
        """Check that both frames can be of one recording."""
        return (self.demuxer, self.kind) == (first.demuxer, first.kind)


def first_frame(head: bytes, search_bytes: int, file_bytes: int) -> tuple[int, Frame] | None:
    """Find the first frame that the next one confirms, and its position.

    Args:
        head: the bytes to search, and enough behind them for a frame and a header.
        search_bytes: positions that are tried.
        file_bytes: bytes from the beginning of `head` to the end of the file; a frame that ends there needs
            no second one.
    """
    for sync in _SYNC_WORDS.finditer(head, 0, search_bytes + 1):
        frame = frame_at(head, sync.start())
        if frame is None:
            continue
        end = sync.start() + frame.size
        second = frame_at(head, end)
        if end == file_bytes or (second is not None and second.confirms(frame)):
            return sync.start(), frame
    return None


def frame_at(data: bytes, at: int) -> Frame | None:
    """Read the header of a frame; None if there is no valid one at this position."""
    header = data[at : at + HEADER_BYTES]
    if len(header) < HEADER_BYTES:
        return None
    return next(filter(None, (read(header) for read in _READERS)), None)


def _mpeg(header: bytes) -> Frame | None:
    """Read a header of ISO 11172-3 or 13818-3; a free bit rate gives no length, and is not accepted."""
    version, layer = header[1] >> 3 & 0b11, header[1] >> 1 & 0b11
    rate, bit_rate = header[2] >> 2 & 0b11, header[2] >> 4
    is_sync = header[0] == 0xFF and header[1] >> 5 == 0b111  # noqa: PLR2004 - the sync word
    if not is_sync or layer not in {_LAYER_2, _LAYER_3} or version not in _MPEG_DIVISORS:
        return None
    if rate >= len(_MPEG_RATES) or bit_rate in {0, 0b1111}:
        return None
    bits = _MPEG_KILOBITS[version == _MPEG_1, layer][bit_rate - 1] * 1000
    slots = 72 if layer == _LAYER_3 and version != _MPEG_1 else 144
    size = slots * bits // (_MPEG_RATES[rate] // _MPEG_DIVISORS[version]) + (header[2] >> 1 & 1)
    return Frame("mp3", size, (version, layer, rate))


def _adts(header: bytes) -> Frame | None:
    """Read a header of ISO 13818-7, 6.2."""
    size = (header[3] & 0b11) << 11 | header[4] << 3 | header[5] >> 5
    rate = header[2] >> 2 & 0b1111
    if header[0] != 0xFF or header[1] & 0xF6 != 0xF0 or rate > 12 or size <= HEADER_BYTES:  # noqa: PLR2004 - sync word, reserved rates
        return None
    return Frame("aac", size, (header[1], header[2] & 0b1111_1101, header[3] & 0b1100_0000))


def _ac3(header: bytes) -> Frame | None:
    """Read a header of ATSC A/52, 5.3 (AC-3) or E.1.2 (E-AC-3)."""
    version, rate = header[5] >> 3, header[4] >> 6
    if not header.startswith(b"\x0b\x77") or version > _MAX_EAC3_ID:
        return None
    if version > _MAX_AC3_ID:
        return Frame("eac3", ((header[2] & 0b111) << 8 | header[3]) * 2 + 2, (version,))
    code = header[4] & 0b11_1111
    if rate >= len(_AC3_RATES) or code >> 1 >= len(_AC3_KILOBITS):
        return None
    words = _AC3_KILOBITS[code >> 1] * 96_000 // _AC3_RATES[rate] + (code & 1 if rate == 1 else 0)
    return Frame("ac3", words * 2, (version, rate))


_READERS: tuple[Callable[[bytes], Frame | None], ...] = (_mpeg, _adts, _ac3)
