"""Writer of files for a warehouse: one per event, partitioned by tenant and day, written atomically."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from domain.model.errors import ConfigurationError, HandlerError
from domain.model.events.sent import StoredEvent

UNFINISHED = ".unfinished"
"""Folder of unfinished files; warehouses ignore names that begin with a dot."""

LEFT_OVER_AFTER_SECONDS = 3600.0
"""Age at which an unfinished file is deleted: it was left behind by a killed process."""

FOLDER_MODE, FILE_MODE = 0o750, 0o640
"""Transcripts are readable by the owner and, if the umask allows it, the group only."""


class PartitionedWriter:
    """Writes `tenant_id=…/day=YYYY-MM-DD/INTERACTION_ID.SUFFIX` in a folder, by the event's day in UTC.

    A file appears under its name once it is complete and durable, never before. The same event always has the
    same name, so writing it again replaces its file; the names of failed events and erasures end with
    `.failed.SUFFIX` and `.erased.SUFFIX`. Several processes may share the folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def prepare(self) -> None:
        """Create the folder if it is missing, and delete unfinished files of killed processes.

        Raises:
            ConfigurationError: the folder cannot be created or written to.
        """
        unfinished = self._root / UNFINISHED
        new = [folder for folder in (unfinished, *unfinished.parents) if not folder.exists()]
        try:
            self._root.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
            unfinished.mkdir(FOLDER_MODE, exist_ok=True)
            for folder in new:
                _synchronise(folder.parent)
            _sweep(unfinished)
            with self._unfinished_file(b""):
                pass
        except OSError as error:
            raise ConfigurationError(f"--to {str(self._root)!r} cannot be written to: {error}.") from error

    def write(self, event: StoredEvent, suffix: str, content: bytes) -> None:
        """Write the file of one event; it survives a power cut once this returns.

        Raises:
            HandlerError: the disk is full or fails, or a link leads out of the folder. There is no file under
                the event's name, unless there was one before or only its durability is uncertain.
        """
        partition = self._partition(event)
        try:
            with self._unfinished_file(content) as file:
                for folder in (partition.parent, partition):
                    folder.mkdir(FOLDER_MODE, exist_ok=True)
                file.replace(partition / f"{_stem(event)}.{suffix}")
            for folder in (partition, partition.parent, self._root):
                _synchronise(folder)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise HandlerError(f"The event cannot be written to {str(partition)!r}: {reason}.") from error

    def _partition(self, event: StoredEvent) -> Path:
        """Return the folder of tenant and day; reject a link that leads out of the root."""
        day = event.timestamp.date().isoformat()
        partition = self._root / f"tenant_id={event.tenant_id}" / f"day={day}"
        if not partition.resolve().is_relative_to(self._root.resolve()):
            raise HandlerError(f"{str(partition)!r} leads out of {str(self._root)!r}.")
        return partition

    @contextlib.contextmanager
    def _unfinished_file(self, content: bytes) -> Iterator[Path]:
        """Yield a file with this content, durable except for its name; delete it at the end, unless moved."""
        path = self._root / UNFINISHED / uuid4().hex
        try:
            with open(path, "xb", opener=lambda name, flags: os.open(name, flags, FILE_MODE)) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            yield path
        finally:
            path.unlink(missing_ok=True)


def _stem(event: StoredEvent) -> str:
    kind = "" if event.status == "completed" else f".{event.status}"
    return f"{event.interaction_id}{kind}"


def _sweep(unfinished: Path) -> None:
    latest = time.time() - LEFT_OVER_AFTER_SECONDS
    for file in unfinished.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process sweeps as well
            if file.stat().st_mtime < latest:
                file.unlink()


def _synchronise(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
