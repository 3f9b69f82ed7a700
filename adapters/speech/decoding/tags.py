"""Tags in front of a recording: titles and cover art."""

from typing import BinaryIO

_ID3_HEADER, _APE_HEADER = 10, 32
_MAX_TAGS = 8


def end_of_tags(file: BinaryIO) -> int:
    """Return the position behind the tags (ID3v2.4, 3.1; APEv2 with a header)."""
    end = 0
    for _ in range(_MAX_TAGS):
        file.seek(end)
        header = file.read(_APE_HEADER)
        if header.startswith(b"ID3") and len(header) >= _ID3_HEADER:
            end += _ID3_HEADER + _synchsafe(header[6:_ID3_HEADER])
        elif header.startswith(b"APETAGEX") and len(header) == _APE_HEADER:
            end += _APE_HEADER + int.from_bytes(header[12:16], "little")
        else:
            break
    return end


def _synchsafe(number: bytes) -> int:
    size = 0
    for byte in number:
        size = size << 7 | byte & 0x7F
    return size
