"""Private folders for recordings on their way, which outlive neither their use nor the process for long."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "at-work-"


class ScratchFolders:
    """Folders that no other user may read, below one root that any number of processes may share.

    Each folder is locked while it is used, so that the next use removes those of killed processes alone.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """Provide an empty folder while the context lasts.

        Raises:
            OSError: it cannot be created.
        """
        folder, lock = self._lease()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)

    def _lease(self) -> tuple[Path, int]:
        """Create and lock a folder; the lock on the root keeps others from removing it before."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root = _lock(self.root)
        try:
            self._sweep()
            folder = Path(tempfile.mkdtemp(dir=self.root, prefix=PREFIX))
            return folder, _lock(folder)
        finally:
            os.close(root)

    def _sweep(self) -> None:
        for folder in self.root.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):  # it is in use
                lock = _lock(folder, fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _lock(folder: Path, flags: int = 0) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | flags)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
