"""Writing of recordings from the network to a file, within the limits of this machine."""

import errno
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from domain.model.errors import RecordingStoreUnavailableError, RecordingTooLargeError, SourceUnavailableError

BLOCK_BYTES = 256 * 1024
"""Bytes that are read, held in memory and written at a time."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """Limits of a recording that is fetched."""

    max_bytes: int
    has_room: Callable[[int], bool]  # True if the disk has room for so many bytes more

    def check(self, size: int) -> None:
        """Check the declared size of a recording, before it is read.

        Raises:
            RecordingTooLargeError: it has more bytes than allowed.
            RecordingStoreUnavailableError: the disk has no room for it.
        """
        if size > self.max_bytes:
            raise RecordingTooLargeError(f"The recording is larger than {self.max_bytes} bytes.")
        if not self.has_room(size):
            raise no_room()


def until(
    cancelled: Event,
    blocks: Iterable[bytes],
    failure: type[SourceUnavailableError | RecordingStoreUnavailableError] = SourceUnavailableError,
) -> Iterator[bytes]:
    """Pass blocks on until another thread sets `cancelled`, and raise `failure` then."""
    for block in blocks:
        if cancelled.is_set():
            raise failure("The recording was not fetched to its end: the job was stopped.")
        yield block


def save(blocks: Iterable[bytes], target: Path, limits: DownloadLimits) -> int:
    """Write blocks to a new file, and return their bytes; one block is in memory at a time.

    Raises:
        RecordingTooLargeError: there are more bytes than allowed.
        RecordingStoreUnavailableError: the disk is full, or about to be.
    """
    written = 0
    try:
        with target.open("xb") as file:
            for block in blocks:
                if (written := written + len(block)) > limits.max_bytes:
                    raise RecordingTooLargeError(f"The recording is larger than {limits.max_bytes} bytes.")
                if not limits.has_room(len(block)):
                    raise no_room()
                file.write(block)
    except OSError as error:
        if error.errno in _FULL:
            raise no_room() from error
        raise
    return written


def no_room() -> RecordingStoreUnavailableError:
    """Build the error for a disk without room."""
    return RecordingStoreUnavailableError(
        "the disk of DATA_DIR has no room for the recording above MIN_FREE_BYTES: free some, or add space"
    )
