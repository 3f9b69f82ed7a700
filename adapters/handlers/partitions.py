"""Files of events for a warehouse: one an event, partitioned by tenant and day, whole or not there."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from domain.model.errors import ConfigurationError, HandlerError
from domain.model.events.event import BatchProcessingCompleted

UNFINISHED = ".unfinished"
"""The folder of files that are being written; warehouses pass over names that begin with a dot."""

LEFT_OVER_AFTER_SECONDS = 3600.0
"""No file takes so long to write; one that is older was left behind by a process that was killed."""

FOLDER_MODE, FILE_MODE = 0o750, 0o640
"""Transcripts are in there: nobody but the owner and the group, if the umask leaves it so much, may look."""


class PartitionedWriter:
    """A folder with `tenant_id=…/day=YYYY-MM-DD/INTERACTION_ID.SUFFIX`, the day being the event's, in UTC.

    A file appears under its name when it is whole and durable, never before. The same event always has the
    same name, so that writing it again replaces a file by its like. Several processes may share the folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def prepare(self) -> None:
        """Make the folder, unless it is there, and sweep what killed processes left unfinished.

        Raises:
            ConfigurationError: it cannot be made, or not be written to.
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

    def write(self, event: BatchProcessingCompleted, suffix: str, content: bytes) -> None:
        """Write the file of one event; once this returns, a power cut does not take it away.

        Raises:
            HandlerError: the disk is full or fails, or the way leads out of the folder. There is no file
                under the event's name, unless there was one before or only its durability is in doubt.
        """
        partition = self._partition(event)
        try:
            with self._unfinished_file(content) as file:
                for folder in (partition.parent, partition):
                    folder.mkdir(FOLDER_MODE, exist_ok=True)
                file.replace(partition / f"{event.interaction_id}.{suffix}")
            for folder in (partition, partition.parent, self._root):
                _synchronise(folder)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise HandlerError(f"The event cannot be written to {str(partition)!r}: {reason}.") from error

    def _partition(self, event: BatchProcessingCompleted) -> Path:
        """The folder of tenant and day; nobody else names a part of it, but links may lie there."""
        day = event.timestamp.date().isoformat()
        partition = self._root / f"tenant_id={event.tenant_id}" / f"day={day}"
        if not partition.resolve().is_relative_to(self._root.resolve()):
            raise HandlerError(f"{str(partition)!r} leads out of {str(self._root)!r}.")
        return partition

    @contextlib.contextmanager
    def _unfinished_file(self, content: bytes) -> Iterator[Path]:
        """A file with this content, durable but for its name; it is gone at the end, unless it was moved."""
        path = self._root / UNFINISHED / uuid4().hex
        try:
            with open(path, "xb", opener=_open_private) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            yield path
        finally:
            path.unlink(missing_ok=True)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, FILE_MODE)


def _sweep(unfinished: Path) -> None:
    latest = time.time() - LEFT_OVER_AFTER_SECONDS
    for file in unfinished.iterdir():
        with contextlib.suppress(FileNotFoundError):  # somebody else sweeps as well
            if file.stat().st_mtime < latest:
                file.unlink()


def _synchronise(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
