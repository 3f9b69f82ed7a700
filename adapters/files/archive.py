"""Archive of dead letters as files in a folder."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from domain.model.errors import ArchiveError
from domain.model.messages.archived import ArchivedMessage
from ports.dead_letter_archive_port import DeadLetterArchivePort

SUFFIX = ".json"


class FolderArchive(DeadLetterArchivePort):
    """Stores one file per message, readable only by its owner; the first message creates the folder.

    A file appears under its name complete or not at all, and survives a power cut once `keep` has returned.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, message: ArchivedMessage, /) -> None:
        """Write, sync and rename the file, sync the folder, and read the file back."""
        path, content = self._folder / message.name, message.to_json().encode()
        with _translated(f"{path} was not written"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(path, content)
            if path.read_bytes() != content:
                raise ArchiveError(f"{path} does not hold what was written to it")

    def messages(self) -> Iterator[ArchivedMessage]:
        """Read the `*.json` files of the folder."""
        with _translated(f"{self._folder} cannot be read"):
            paths = sorted(path for path in self._folder.iterdir() if path.suffix == SUFFIX)
        for path in paths:
            with _translated(f"{path} cannot be read"):
                content = path.read_bytes()
            yield ArchivedMessage.read(content, str(path))


def _write(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=".", suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _translated(failure: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveError(f"{failure}: {error.strerror}") from error
