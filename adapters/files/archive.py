"""Dead letters as files of a folder."""

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
    """One file a message, readable by its owner alone; the folder is made with the first one.

    A file appears under its name whole or not at all, and survives a power cut once `keep` has returned.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, message: ArchivedMessage, /) -> None:
        """Write, synchronise, rename, synchronise the folder, and read it back."""
        path, content = self._folder / message.name, message.to_json().encode()
        with _translated(f"{path} was not written"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(path, content)
            if path.read_bytes() != content:
                raise ArchiveError(f"{path} does not hold what was written to it")

    def messages(self) -> Iterator[ArchivedMessage]:
        """Read the folder's files; those that are not named `*.json` are nobody's."""
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
    _synchronise(path.parent)


def _synchronise(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveError(f"{what}: {error.strerror}") from error
