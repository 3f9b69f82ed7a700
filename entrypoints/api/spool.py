"""Where uploads live while they are worked on.

Each upload has a folder of its own, so that nothing lies beside a recording that plays with file names; each
process has a folder of its own, locked while it lives, so that the next one can sweep what a killed process
left behind and nothing else.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from starlette.requests import Request

from domain.model.errors import ConfigurationError
from entrypoints.api.problems import StorageFullError, TooManyUploadsError
from entrypoints.api.uploads import MultipartRecording

LOCK_NAME = "lock"


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What a caller may send: bytes of one recording, uploads at once, seconds of silence on the line."""

    max_bytes: int
    max_concurrent: int
    idle_seconds: float


class UploadSpool:
    """The private folder of this process for uploads; open it before the first, close it after the last."""

    def __init__(self, root: Path, limits: UploadLimits) -> None:
        self._root = root
        self._limits = limits
        self._receiving = 0
        self._folder: Path | None = None
        self._lock: TextIO | None = None

    def open(self) -> None:
        """Make this process's folder and sweep those of processes that are gone.

        Raises:
            ConfigurationError: the folder cannot be made, or belongs to somebody else.
        """
        _make_private(self._root)
        _sweep(self._root)
        self._folder = Path(tempfile.mkdtemp(dir=self._root, prefix="process-"))
        self._lock = (self._folder / LOCK_NAME).open("w", encoding="utf-8")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Remove this process's folder with all that is in it."""
        if self._folder is not None and self._lock is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._lock.close()
            self._folder = self._lock = None

    @contextlib.asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[Path]:
        """Receive the request's recording; the file is gone when the context ends, however it ends.

        Raises:
            RecordingError: it is missing, empty or too large.
            ProblemError: the request is at fault in another way (see `entrypoints.api.problems`).
        """
        folder = Path(tempfile.mkdtemp(dir=self._folder, prefix="upload-"))
        try:
            with self._slot():
                recording = await self._write(request, folder / "recording")
            yield recording
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _slot(self) -> Iterator[None]:
        if self._receiving >= self._limits.max_concurrent:
            raise TooManyUploadsError(f"{self._receiving} uploads are being received already.")
        self._receiving += 1
        try:
            yield
        finally:
            self._receiving -= 1

    async def _write(self, request: Request, path: Path) -> Path:
        body = MultipartRecording(request, self._limits.max_bytes)
        with _storage_errors(), path.open("xb") as file:
            async for block in body.blocks(self._limits.idle_seconds):
                await asyncio.to_thread(file.write, block)
        return path


@contextlib.contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFullError("No room is left to receive the recording; try again later.") from error
        raise


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise ConfigurationError(f"SPOOL_DIR={str(folder)!r} cannot be used: {error.strerror}") from error
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise ConfigurationError(
            f"SPOOL_DIR={str(folder)!r} is open to others: it must belong to this user, with mode 0700"
        )


def _sweep(root: Path) -> None:
    for folder in root.glob("process-*"):
        with contextlib.suppress(OSError), (folder / LOCK_NAME).open("r+", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an OSError says that its process lives
            shutil.rmtree(folder, ignore_errors=True)
