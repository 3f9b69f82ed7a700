"""Port of playback copies: what browsers play and draw in place of the recordings of jobs."""

from abc import abstractmethod
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.model.jobs import StoredRecording


class PlaybackCopy(NamedTuple):
    """Copy of a recording that every browser plays and seeks in, and what a page draws of it."""

    file: Path
    """AAC in MP4, its index first; gone when the copy is forgotten."""
    tag: str
    """Identifies the bytes of the file."""
    duration_seconds: float
    peaks: tuple[int, ...]
    """Lowest and highest sample of equal stretches of time, in turn, from -128 to 127."""


class CopyRefusal(StrEnum):
    """Reason for which no copy is made at present; another try may succeed."""

    BUSY = "busy"
    """As many copies as allowed are being made."""
    FULL = "full"
    """The disk has too little free space."""


class PlaybackPort(Protocol):
    """Makes playback copies, and keeps each until an hour after its last use, or until the service stops."""

    @abstractmethod
    def start(self) -> None:
        """Begin to keep copies; remove those that killed processes have left.

        Raises:
            OSError: the folder of the copies cannot be used.
        """
        ...

    @abstractmethod
    async def stop(self) -> None:
        """End the work on copies, and remove all of this process."""
        ...

    @abstractmethod
    async def copy(self, job_id: UUID, recording: StoredRecording, /) -> PlaybackCopy | CopyRefusal:
        """Return the copy of a job's recording; make it, unless it is there or being made.

        Raises:
            RecordingGoneError: the recording is not stored any more.
            RecordingStoreUnavailableError: the recording cannot be read at present.
            RecordingError: the recording cannot be decoded, or its decoder crashed or stalled.
            TranscriberUnavailableError: the process that makes copies cannot be started.
        """
        ...

    @abstractmethod
    async def forget(self, job_id: UUID, /) -> None:
        """Remove the copy of a job, and end the work on it."""
        ...
