"""Xing header of an mp3, also named Info: number of frames and bytes, in the first frame."""

from pathlib import Path
from typing import NamedTuple

from adapters.speech.decoding.frames import HEADER_BYTES

_SEARCHED_BYTES = 64  # the header follows the side information, at most 36 bytes behind the frame's beginning
_HAS_FRAMES, _HAS_BYTES = 0x1, 0x2
_MPEG_1_RATE = 32_000
"""Hertz. At this rate and above an mp3 frame has 1152 samples, below it 576 (ISO 13818-3)."""


class XingHeader(NamedTuple):
    """Declarations of the header; 0 for what it leaves out."""

    frames: int
    sound_bytes: int  # from the beginning of the first frame

    def seconds(self, sample_rate: int) -> float | None:
        """Return the declared length."""
        samples = 1152 if sample_rate >= _MPEG_1_RATE else 576
        return self.frames * samples / sample_rate if self.frames else None


def read_xing_header(recording: Path, first_frame: int) -> XingHeader | None:
    """Read the header of an mp3 whose first frame begins at a position; None if it has none."""
    with recording.open("rb") as file:
        file.seek(first_frame + HEADER_BYTES)
        head = file.read(_SEARCHED_BYTES)
    at = max(head.find(b"Xing"), head.find(b"Info"))
    if at < 0:
        return None
    flags, *numbers = (int.from_bytes(head[place : place + 4], "big") for place in range(at + 4, at + 16, 4))
    frames = numbers.pop(0) if flags & _HAS_FRAMES else 0
    return XingHeader(frames, numbers.pop(0) if flags & _HAS_BYTES else 0)
