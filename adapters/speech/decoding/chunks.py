"""Chunks: the common structure of wav, w64, aiff, caf, wma and mp4."""

from collections.abc import Iterator
from typing import BinaryIO, Literal, NamedTuple

MAX_CHUNKS = 10_000
"""Chunks that are looked at; recordings have a dozen, fragments aside."""

_LARGE_SIZE = 8


class Chunk(NamedTuple):
    """Place of one chunk in a file."""

    name: bytes
    start: int  # position of the content
    size: int  # bytes of the content, as declared; -1 for "up to the end of the file"

    @property
    def end(self) -> int:
        """Declared position behind the content."""
        return self.start + self.size


class Layout(NamedTuple):
    """Layout of a chunk's header."""

    name_bytes: int
    size_bytes: int
    byteorder: Literal["little", "big"]
    alignment: int = 1  # chunks begin at multiples of it
    counts_header: bool = False  # the size includes the header
    size_first: bool = False
    to_the_end: int | None = None  # size of a chunk that ends with the file
    large: int | None = None  # size in place of one that follows the header in eight bytes


RIFF = Layout(4, 4, "little", alignment=2)
RIFX = Layout(4, 4, "big", alignment=2)
IFF = RIFX
CAF = Layout(4, 8, "big", to_the_end=2**64 - 1)
W64 = Layout(16, 8, "little", alignment=8, counts_header=True)
ASF = Layout(16, 8, "little", counts_header=True)
MP4 = Layout(4, 4, "big", counts_header=True, size_first=True, to_the_end=0, large=1)


def chunks(file: BinaryIO, start: int, layout: Layout) -> Iterator[Chunk]:
    """Yield the chunks from `start` on, up to the end of the file or to a header that cannot be one.

    The last chunk may end behind the file's end. Reading the file between two chunks is allowed.
    """
    file_end = file.seek(0, 2)
    for _ in range(MAX_CHUNKS):
        if start >= file_end:
            return
        file.seek(start)
        chunk = _chunk_at(file, start, layout)
        if chunk is None:
            return
        yield chunk
        if chunk.size < 0:  # up to the end of the file
            return
        start = chunk.end + -chunk.end % layout.alignment


def _chunk_at(file: BinaryIO, start: int, layout: Layout) -> Chunk | None:
    name_at, size_at = (layout.size_bytes, 0) if layout.size_first else (0, layout.name_bytes)
    header = file.read(layout.name_bytes + layout.size_bytes)
    name = header[name_at : name_at + layout.name_bytes]
    size = int.from_bytes(header[size_at : size_at + layout.size_bytes], layout.byteorder)
    content = start + len(header)
    if len(header) < layout.name_bytes + layout.size_bytes:
        return None
    if size == layout.to_the_end:
        return Chunk(name, content, -1)
    if size == layout.large:
        size = int.from_bytes(file.read(_LARGE_SIZE), "big")
        content += _LARGE_SIZE
    size -= content - start if layout.counts_header else 0
    return Chunk(name, content, size) if size >= 0 else None
