"""The file of an SQLite database: private, and still at its path.

SQLite keeps writing to the file that it opened, even if that is moved, deleted or replaced; such writes are
lost. So each transaction checks the path before it begins and after its commit.
"""

import errno
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

logger = logging.getLogger(__name__)

_FILE = "file"
"""The key in a connection's `info` of the path and the identity of its file."""


class DatabaseFileError(InvalidatePoolError):
    """The file is no longer at its path; new connections may find another one there."""


def keep_private(path: Path) -> None:
    """Create the file if it is missing: folder 0700, file 0600; SQLite's other files follow it.

    An existing file is never opened here: closing it would drop the locks that SQLite's connections in this
    process have on it (sqlite.org/howtocorrupt.html, 2.2). Other processes may do the same at the same time,
    or remove SQLite's other files as they end.

    Raises:
        OSError: the file cannot be created, read or written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not os.access(path, os.R_OK | os.W_OK):
        reason = errno.EROFS if os.statvfs(path).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(reason, os.strerror(reason), str(path))
    for file in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal"))):
        with suppress(FileNotFoundError):
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def watch(engine: Engine, path: Path) -> None:
    """Refuse connections whose file is gone; if another file took its place, open that one.

    A missing file is not created again: an operator who moved it may bring it back, with the events in it.
    """

    @event.listens_for(engine, "do_connect")
    def _note(_dialect: Dialect, record: ConnectionPoolEntry, *_arguments: object) -> None:
        record.info[_FILE] = path, _identity(path)  # before it is opened, so that a later replacement differs

    @event.listens_for(engine, "checkout")
    def _look(_raw: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        _, opened = record.info[_FILE]
        if _identity(path) != opened:
            logger.error(
                "the database file was replaced: events waiting in the previous file will not be delivered",
                extra={"file": str(path)},
            )
            raise _replaced(path)


def check_in_place(info: Mapping[Any, Any]) -> None:
    """Check that the file of a connection is still at its path; PostgreSQL's connections have none.

    Raises:
        DatabaseFileError: the file was moved, deleted or replaced.
    """
    if _FILE not in info:
        return
    path, opened = info[_FILE]
    if _identity(path) != opened:
        raise _replaced(path)


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise DatabaseFileError(
            f"the database file {path} is gone ({error.strerror}): put it back, or restart the service to"
            " begin with a new one"
        ) from None
    return found.st_dev, found.st_ino


def _replaced(path: Path) -> DatabaseFileError:
    return DatabaseFileError(f"the database file {path} was replaced while it was in use")
