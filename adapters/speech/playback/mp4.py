"""MP4 whose index comes first, without a file to write: FFmpeg's own way needs one to read it again."""

import io
from collections.abc import Iterator

from adapters.speech.decoding.chunks import MP4, chunks
from adapters.speech.playback.pieces import MAX_PIECE_BYTES, CopyPiece

_SOUND = b"mdat"
_HEADER_BYTES = 8
_PATH_TO_OFFSETS = (b"trak", b"mdia", b"minf", b"stbl", b"stco")
_FIXED_BYTES = 8  # version, flags and number of offsets
_OFFSET_BYTES = 4


class IndexFirst:
    """File for FFmpeg's muxer to write to: hands out the sound as it comes, and last what belongs before it.

    The muxer writes `ftyp`, the header of `mdat`, and the sound; at its end it goes back to fill in the size
    of `mdat`, and then writes the index, `moov`, behind the sound, going back and forth in it.
    """

    def __init__(self) -> None:
        self._start = bytearray()  # up to the first byte of sound
        self._sound = bytearray()
        self._sound_bytes = 0
        self._index = io.BytesIO()
        self._at = 0
        self._has_ended = False  # all sound is there

    def write(self, content: bytes) -> int:
        """Take what the muxer writes; the size of `mdat` is known without it."""
        if not self._has_ended:
            self._append(bytes(content))
        elif self._at >= self._end:
            self._index.seek(self._at - self._end)
            self._index.write(content)
        self._at += len(content)
        return len(content)

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position; the first one before the end ends the sound."""
        end = self._end + len(self._index.getbuffer())
        self._at = (0, self._at, end)[whence] + position
        self._has_ended = self._has_ended or self._at < end
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def sound(self) -> Iterator[CopyPiece]:
        """Yield the sound that was written since the last call."""
        taken, self._sound = bytes(self._sound), bytearray()
        yield from _pieces(taken, is_head=False)

    def head(self) -> Iterator[CopyPiece]:
        """Yield what belongs in front of the sound, once the muxer has ended."""
        kind = next(chunks(io.BytesIO(self._start), 0, MP4))
        before = bytes(self._start[: kind.end])
        index = self._index.getvalue()
        sound_at = len(before) + len(index) + _HEADER_BYTES
        index = _moved(index, sound_at - len(self._start))
        mdat = (self._sound_bytes + _HEADER_BYTES).to_bytes(4, "big") + _SOUND
        yield from _pieces(before + index + mdat, is_head=True)

    @property
    def _end(self) -> int:
        """Position behind the sound."""
        return len(self._start) + self._sound_bytes

    def _append(self, content: bytes) -> None:
        if self._start.endswith(_SOUND):
            self._sound += content
            self._sound_bytes += len(content)
        else:
            self._begin(content)

    def _begin(self, content: bytes) -> None:
        self._start += content
        if (found := self._start.find(_SOUND)) >= 0:
            sound = bytes(self._start[found + len(_SOUND) :])
            del self._start[found + len(_SOUND) :]
            self._append(sound)


def _moved(index: bytes, by: int) -> bytes:
    """Correct the positions of the sound in an index, for sound that lies so many bytes further behind."""
    file, at = io.BytesIO(index), _HEADER_BYTES
    for name in _PATH_TO_OFFSETS:
        at = next(chunk for chunk in chunks(file, at, MP4) if chunk.name == name).start
    start = at + _FIXED_BYTES
    end = start + _OFFSET_BYTES * int.from_bytes(index[start - _OFFSET_BYTES : start], "big")
    offsets = (
        int.from_bytes(index[each : each + _OFFSET_BYTES], "big") for each in range(start, end, _OFFSET_BYTES)
    )
    return (
        index[:start] + b"".join((each + by).to_bytes(_OFFSET_BYTES, "big") for each in offsets) + index[end:]
    )


def _pieces(content: bytes, *, is_head: bool) -> Iterator[CopyPiece]:
    for at in range(0, len(content), MAX_PIECE_BYTES):
        yield CopyPiece(content[at : at + MAX_PIECE_BYTES], is_head)
