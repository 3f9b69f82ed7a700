"""Elements of a webm or matroska (RFC 8794), as far as they tell whether the end is missing."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

SEGMENT, INFO, DURATION, CLUSTER = 0x18538067, 0x1549A966, 0x4489, 0x1F43B675

_LONGEST_ID, _LONGEST_SIZE = 4, 8


class Element(NamedTuple):
    """Place of one element in a file."""

    name: int
    start: int  # position of the content
    size: int | None  # bytes of the content, as declared; None if unknown, as while it is recorded
    header_is_cut: bool

    def ends_behind(self, position: int) -> bool:
        """Check whether its declared end lies behind a position in the file, or its header does."""
        return self.header_is_cut or self.start + (self.size or 0) > position


def elements(file: BinaryIO) -> Iterator[Element]:
    """Yield segment, information, clusters, and the elements of clusters of unknown size.

    The last element may end behind the file's end.
    """
    at, end = 0, file.seek(0, 2)
    while at < end:
        file.seek(at)
        element = _element_at(file, at)
        yield element
        if element.header_is_cut:
            return
        is_entered = element.size is None or element.name in {SEGMENT, INFO}
        at = element.start + (0 if is_entered else element.size or 0)


def _element_at(file: BinaryIO, at: int) -> Element:
    name, name_bytes = _number(file, _LONGEST_ID, keep_marker=True)
    size, size_bytes = _number(file, _LONGEST_SIZE, keep_marker=False)
    is_cut = not name_bytes or not size_bytes
    is_unknown = not is_cut and size == (1 << 7 * size_bytes) - 1
    return Element(name, at + name_bytes + size_bytes, None if is_unknown else size, is_cut)


def _number(file: BinaryIO, longest: int, *, keep_marker: bool) -> tuple[int, int]:
    """Read a number of variable length, and its bytes; none for an invalid one (RFC 8794, 4)."""
    first = file.read(1)
    length = 9 - first[0].bit_length() if first and first[0] else longest + 1
    rest = file.read(length - 1) if length <= longest else b""
    if length > longest or len(rest) < length - 1:
        return 0, 0
    number = int.from_bytes(first + rest, "big")
    return (number if keep_marker else number & (1 << 7 * length) - 1), length
