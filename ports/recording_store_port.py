"""Port of the store of recordings that wait for their transcription, or are being transcribed."""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event
from typing import Protocol


class RecordingStorePort(Protocol):
    """Durable, shared store of recordings, one object each; any number of processes may use it at once.

    The processes of one database own the recordings that they store: their keys say so. Several databases may
    use the same place.

    Every method may block, and raises `RecordingStoreUnavailableError` if the store cannot be reached, is
    full or fails.
    """

    @abstractmethod
    def put(self, recording: Path, /) -> str:
        """Store a recording durably, and return its key; the file may be gone afterwards."""
        ...

    @abstractmethod
    def fetched(self, key: str, cancelled: Event | None = None, /) -> AbstractContextManager[Path]:
        """Provide a recording as a local file while the context lasts.

        Another thread may set `cancelled`: then a long download soon ends with an error.

        Raises:
            RecordingGoneError: there is no such recording.
        """
        ...

    @abstractmethod
    def delete(self, key: str, /) -> None:
        """Delete a recording; one that is not there is no error."""
        ...

    @abstractmethod
    def erase(self, key: str, /) -> str | None:
        """Delete a recording, and the earlier versions of it that the store may have kept.

        Returns:
            Why earlier versions are still stored, such as a lack of permission; None where none is.
        """
        ...

    @abstractmethod
    def keys(self, *, older_than_seconds: float) -> Iterator[str]:
        """Yield the keys of own recordings that were stored longer ago than that."""
        ...
