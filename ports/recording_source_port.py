"""Port of places outside the service from which recordings are fetched."""

from abc import abstractmethod
from pathlib import Path
from threading import Event
from typing import Protocol


class RecordingSourcePort(Protocol):
    """Fetches recordings by their URL."""

    @abstractmethod
    def check(self, url: str, /) -> None:
        """Check what can be checked without a network, when a caller names the URL.

        Raises:
            SourceRefusedError: the URL is malformed, or names a place that is not allowed.
        """
        ...

    @abstractmethod
    def fetch(self, url: str, target: Path, cancelled: Event, /) -> None:
        """Write the recording to a new file; blocks.

        Another thread may set `cancelled`: then the call soon ends with an error, instead of an hour later.

        Raises:
            SourceRefusedError: the place is not allowed, or refuses the recording, for good.
            SourceUnavailableError: the place fails at present, or the call was cancelled.
            RecordingTooLargeError: the recording has more bytes than allowed.
            RecordingStoreUnavailableError: this machine has no room for the recording at present.
        """
        ...
