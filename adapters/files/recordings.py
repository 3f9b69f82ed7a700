"""Store of recordings in a folder."""

import contextlib
import math
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from uuid import uuid4

from domain.model.errors import RecordingGoneError, RecordingStoreUnavailableError
from ports.recording_store_port import RecordingStorePort

_NAME = re.compile(r"(?P<owner>[0-9a-f]{32})-[0-9a-f]{32}(\.part)?")


class FolderRecordingStore(RecordingStorePort):
    """One file for each recording, which only this user may read; machines may share the folder.

    A key is the name of a file: the owner, and a number.
    """

    def __init__(self, folder: Path, *, owner: Callable[[], str]) -> None:
        self._folder = folder.absolute()
        self._owner = owner  # 32 hexadecimal digits

    def put(self, recording: Path, /) -> str:
        """Move the file, or copy it from another disk; both are synced before the key is returned."""
        key = f"{self._owner()}-{uuid4().hex}"
        with _errors(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial = self._folder / f"{key}.part"
            try:
                shutil.move(recording, partial)
                os.utime(partial)  # `keys` asks since when it is stored
                _sync(partial)
                partial.rename(self._folder / key)
            except OSError:
                partial.unlink(missing_ok=True)
                raise
            _sync(self._folder)
        return key

    @contextlib.contextmanager
    def fetched(self, key: str, cancelled: Event | None = None, /) -> Iterator[Path]:  # noqa: ARG002 - nothing takes long
        """Provide the file itself."""
        with _errors(self._folder):
            file = self._file(key)
            try:
                file.stat()
            except FileNotFoundError:
                self._check_folder()
                raise RecordingGoneError("The recording is not stored any more.") from None
        yield file

    def delete(self, key: str, /) -> None:
        """Delete the file; a folder that is missing is an outage, as the file may still be in it."""
        with _errors(self._folder):
            try:
                self._file(key).unlink()
            except FileNotFoundError:
                self._check_folder()

    def erase(self, key: str, /) -> None:
        """Delete the file, which has no versions."""
        self.delete(key)

    def keys(self, *, older_than_seconds: float) -> Iterator[str]:
        """List the folder, parts of recordings included: their processes died. Other files are left alone."""
        latest, owner = time.time() - older_than_seconds, self._owner()
        with _errors(self._folder):
            entries = [each for each in _entries(self._folder) if _owner_of(each.name) == owner]
            names = [each.name for each in entries if _modified(each) <= latest]
        yield from names

    def _check_folder(self) -> None:
        """Raise an error without the folder: `put` made it, so the store is away, and not the recording."""
        self._folder.stat()

    def _file(self, key: str) -> Path:
        if Path(key).name != key:
            raise ValueError("a key is the name of a file, without a folder")
        return self._folder / key


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _owner_of(name: str) -> str | None:
    found = _NAME.fullmatch(name)
    return found and found["owner"]


def _modified(entry: os.DirEntry[str]) -> float:
    """Return the time of the last change, in seconds since 1970; infinite for a file that has just gone."""
    try:
        return entry.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordingStoreUnavailableError(f"{folder}: {error.strerror}") from error
