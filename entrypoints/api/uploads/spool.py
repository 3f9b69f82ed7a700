"""Upload spool: stores recordings on disk while they are processed.

Each upload has its own folder and an unguessable name, so that a recording which plays with file names finds
no other. The folder is kept for the next upload: creating and removing one waits for the disk. Each process
has its own folder, locked while the process lives, so that the next process sweeps only the folders of killed
ones. The folders themselves are locked: programs that clean up temporary files spare locked folders, and no
lock file can be missing.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple
from uuid import uuid4

from starlette.requests import Request

from bootstrap.disk_space import shortage
from domain.model.errors import ConfigurationError
from entrypoints.api.problems import ShuttingDownError, StorageFullError, TooManyUploadsError
from entrypoints.api.uploads.multipart import MultipartRecording

SMALL_BYTES = 64 * 1024
"""Files up to this size are written and removed in the event loop: a thread would take longer."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Limits of uploads."""

    max_bytes: int  # size of one recording
    max_concurrent: int  # uploads that are received at the same time
    idle_seconds: float  # time without a byte from the caller
    min_free_bytes: int  # free space on a disk below which uploads are refused
    # folder of the database file, whose disk needs as much free space; None for a database server
    database_folder: Path | None = None


class Upload(NamedTuple):
    """A received recording, and the other fields of its form."""

    recording: Path
    fields: tuple[tuple[str, str], ...]


class UploadSpool:
    """The private upload folder of this process; open it before the first upload, close it after the last."""

    def __init__(self, root: Path, limits: UploadLimits) -> None:
        self._root = root.absolute()  # worker processes read the recordings from another working folder
        self._limits = limits
        self._receiving: set[asyncio.Timeout] = set()  # one for each upload; over when the process ends
        self._is_ending = False
        self._folder: Path | None = None
        self._empty: list[Path] = []  # folders without an upload
        self._lock: int | None = None

    def open(self) -> None:
        """Create the folder of this process, unless it exists, and remove those of dead processes.

        Raises:
            ConfigurationError: the folder cannot be created, or belongs to another user.
        """
        if self._folder is not None:
            return
        _make_private(self._root)
        try:
            self._folder, self._lock = _lease(self._root)
        except OSError as error:
            raise _unusable(self._root, error) from error

    def close(self) -> None:
        """Remove the folder of this process with its contents."""
        if self._folder is not None and self._lock is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(self._lock)
            self._folder = self._lock = None
            self._empty.clear()

    def end_uploads(self) -> None:
        """Refuse the uploads that still arrive, and each one after them: the process is about to end."""
        self._is_ending = True
        for deadline in self._receiving:
            deadline.reschedule(asyncio.get_running_loop().time())

    def check_admission(self) -> None:
        """Refuse an upload before it is received, where `receive` would refuse it.

        Raises:
            StorageFullError: a disk has too little free space.
            TooManyUploadsError: as many uploads as allowed are being received.
            ShuttingDownError: the process is about to end.
        """
        if self._is_ending:
            raise _shutting_down()
        self._check_disks()
        if len(self._receiving) >= self._limits.max_concurrent:
            raise TooManyUploadsError(f"{len(self._receiving)} uploads are being received already.")

    @contextlib.asynccontextmanager
    async def receive(self, request: Request, check_capacity: Callable[[], None]) -> AsyncIterator[Upload]:
        """Receive the recording of a form; its file is removed when the context ends, also by an error.

        `check_capacity` is called before each write; its exception ends the upload.

        Raises:
            RecordingError: the recording is missing, empty or too large.
            ProblemError: another error of the request (see `entrypoints.api.problems`).
        """
        with _storage_errors():
            folder = self._empty_folder()
        path = folder / f"upload-{uuid4().hex}"
        try:
            async with self._slot():
                fields = await self._write(request, path, check_capacity)
            yield Upload(path, fields)
        finally:
            await _remove(path)
            if not path.exists():  # else the folder keeps the file that could not be removed
                self._empty.append(folder)

    def _empty_folder(self) -> Path:
        if self._folder is None:
            raise RuntimeError("The spool is not open.")
        if not self._folder.exists():  # a cleaner of temporary files removed it
            self.close()
            self.open()
        while self._empty:
            if (folder := self._empty.pop()).exists():
                return folder
        return Path(tempfile.mkdtemp(dir=self._folder))

    @contextlib.asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """Take one of the places for uploads, until the upload has arrived or `end_uploads` ends it."""
        self.check_admission()
        deadline = asyncio.timeout(None)
        self._receiving.add(deadline)
        try:
            async with deadline:
                yield
        except TimeoutError as error:
            if deadline.expired():
                raise _shutting_down() from error
            raise
        finally:
            self._receiving.discard(deadline)

    async def _write(
        self, request: Request, path: Path, check_capacity: Callable[[], None]
    ) -> tuple[tuple[str, str], ...]:
        body = MultipartRecording(request, self._limits.max_bytes)
        with _storage_errors(), path.open("xb") as file:
            async for block in body.blocks(self._limits.idle_seconds):
                check_capacity()
                self._check_disks()
                await _write(file, block)
        return body.fields

    def _check_disks(self) -> None:
        for name, folder in (("SPOOL_DIR", self._root), ("DATABASE_URL", self._limits.database_folder)):
            if folder is not None and (lack := shortage(folder, self._limits.min_free_bytes)):
                raise _no_room(f"the disk of {name} has {lack}")


async def _write(file: BinaryIO, block: bytes) -> None:
    if len(block) <= SMALL_BYTES:
        file.write(block)
    else:
        await asyncio.to_thread(file.write, block)


async def _remove(path: Path) -> None:
    """Remove a file, a large one in a thread that survives the cancellation of its request."""
    with contextlib.suppress(OSError):  # the file may never have been created
        if not _removed_at_once(path):
            await asyncio.shield(asyncio.to_thread(path.unlink))


def _removed_at_once(path: Path) -> bool:
    is_small = path.stat().st_size <= SMALL_BYTES
    if is_small:
        path.unlink()
    return is_small


@contextlib.contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise _no_room("the disk of SPOOL_DIR is full") from error
        raise


def _shutting_down() -> ShuttingDownError:
    return ShuttingDownError("The service ends before this upload has arrived; send it again.")


def _no_room(reason: str) -> StorageFullError:
    return StorageFullError(f"No disk space is left to receive the recording ({reason}); try again later.")


def _make_private(folder: Path) -> None:
    try:
        for each in (*reversed(folder.parents), folder):
            if not each.exists():  # `parents=True` would create them with the default mode
                each.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise _unusable(folder, error) from error
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise ConfigurationError(
            f"SPOOL_DIR={str(folder)!r} belongs to another user, or is open to others;"
            " it must belong to this user, with mode 0700"
        )


def _unusable(folder: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"SPOOL_DIR={str(folder)!r} cannot be used: {error.strerror}. Without SPOOL_DIR, DATA_DIR is used."
    )


def _lease(root: Path) -> tuple[Path, int]:
    """Create and lock a folder; the lock on the root keeps others from sweeping it before it is locked."""
    with _locked(root):
        _sweep(root)
        folder = Path(tempfile.mkdtemp(dir=root, prefix="process-"))
        return folder, _lock(folder)


def _sweep(root: Path) -> None:
    for folder in root.glob("process-*"):
        with contextlib.suppress(OSError), _locked(folder, fcntl.LOCK_NB):  # OSError: its process lives
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path, flags: int = 0) -> Iterator[None]:
    descriptor = _lock(folder, flags)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(folder: Path, flags: int = 0) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | flags)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
