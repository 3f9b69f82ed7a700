"""Recordings on their way into the store: an upload, or fetched from a URL."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event

from domain.model.errors import EmptyRecordingError, SourceRefusedError, SourceUnavailableError
from domain.model.jobs import StoredRecording
from ports.recording_source_port import RecordingSourcePort
from ports.recording_store_port import RecordingStorePort


class RecordingSources:
    """Stores recordings from uploads, and from the sources that are configured for the schemes of URLs."""

    def __init__(
        self,
        recordings: RecordingStorePort,
        sources: Mapping[str, RecordingSourcePort],  # by scheme, such as https
        scratch: Callable[[], AbstractContextManager[Path]],  # provides an empty folder of this process
    ) -> None:
        self._recordings = recordings
        self._sources = sources
        self._scratch = scratch

    def check(self, url: str) -> None:
        """Check a URL when a caller names it.

        Raises:
            SourceRefusedError: there is no source for its scheme, or the source does not allow it.
        """
        self._source(url).check(url)

    def fetch(self, url: str, cancelled: Event) -> StoredRecording:
        """Fetch a recording into the store; blocks, and ends soon once another thread sets `cancelled`.

        Raises:
            SourceRefusedError: the place is not allowed, or refuses the recording, for good.
            SourceUnavailableError: the place fails at present, or the call was cancelled.
            RecordingError: the recording is empty or too large.
            RecordingStoreUnavailableError: it cannot be stored at present.
        """
        with self._scratch() as folder:
            target = folder / "recording"
            self._source(url).fetch(url, target, cancelled)
            if not target.stat().st_size:
                raise EmptyRecordingError("The recording has no bytes.")
            if cancelled.is_set():
                raise SourceUnavailableError("The recording was not stored: the job was stopped.")
            return self.store(target)

    def store(self, recording: Path) -> StoredRecording:
        """Store a recording; its file may be gone afterwards. Blocks.

        Raises:
            RecordingStoreUnavailableError: it cannot be stored at present.
        """
        size = recording.stat().st_size
        with recording.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return StoredRecording(self._recordings.put(recording), digest, size)

    def _source(self, url: str) -> RecordingSourcePort:
        scheme = url.partition(":")[0].lower() if ":" in url else ""
        if scheme not in self._sources:
            raise SourceRefusedError(
                f"A recording cannot be fetched from a URL with the scheme {scheme[:20]!r}; "
                f"it may be {' or '.join(self._sources)}."
            )
        return self._sources[scheme]
