"""FLAC: speech without loss in half of its bytes, as services on the network take it."""

import contextlib
from io import BytesIO
from types import TracebackType
from typing import BinaryIO, Self

import av
import numpy as np

from domain.model.speech import SAMPLE_RATE

SUFFIX = ".flac"
CONTENT_TYPE = "audio/flac"

_BLOCK_BYTES = 2 * 4096
"""Bytes that are encoded at once: as many samples as a FLAC encoder puts in one frame."""


class FlacWriter:
    """Encodes speech into a file piece by piece, in memory that does not grow with its length.

    A context manager: leaving it completes the file, which stays open. Only a file that can seek declares its
    length.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._container = av.open(file, "w", format="flac")
        self._stream = self._container.add_stream("flac", rate=SAMPLE_RATE, layout="mono", format="s16")
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._encode(self._rest)
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()

    def abandon(self) -> None:
        """Close a file that is thrown away, without completing it: its disk may be full."""
        with contextlib.suppress(OSError, RuntimeError):
            self._container.close()

    def write(self, samples: bytes) -> None:
        """Append 16-bit mono samples at `SAMPLE_RATE`."""
        waiting = self._rest + samples
        end = len(waiting) - len(waiting) % _BLOCK_BYTES
        for start in range(0, end, _BLOCK_BYTES):
            self._encode(waiting[start : start + _BLOCK_BYTES])
        self._rest = waiting[end:]

    def _encode(self, samples: bytes) -> None:
        if samples:
            frame = av.AudioFrame.from_ndarray(np.frombuffer(samples, "<i2")[np.newaxis], "s16", "mono")
            frame.sample_rate = SAMPLE_RATE
            self._container.mux(self._stream.encode(frame))


def encode(samples: bytes) -> bytes:
    """Encode one stretch of speech: 16-bit mono samples at `SAMPLE_RATE`."""
    file = BytesIO()
    with FlacWriter(file) as writer:
        writer.write(samples)
    return file.getvalue()
