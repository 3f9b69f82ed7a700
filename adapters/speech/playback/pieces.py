"""Pieces and summary of a playback copy, as its maker hands them out."""

from typing import NamedTuple

MAX_PAIRS = 2_000
"""Most pairs of lowest and highest sample in a waveform; screens have fewer columns."""

MAX_PIECE_BYTES = 2**20
"""Bytes of the largest piece of a copy."""

BIT_RATE = 56_000
"""Bits per second of a copy: speech without audible losses, 25 MB an hour."""


class CopyPiece(NamedTuple):
    """Bytes of a copy, in order; the head is known last, and belongs in front of the rest."""

    content: bytes
    is_head: bool


class CopySummary(NamedTuple):
    """All else that is known of a copy when it is complete."""

    duration_seconds: float
    peaks: tuple[int, ...]
    """Lowest and highest sample of each stretch of time, in turn, from -128 to 127."""
