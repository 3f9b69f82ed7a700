"""The file of a database: private, and still the one that its name leads to.

SQLite goes on with the file that it has opened, whoever moves, deletes or replaces it meanwhile; what is
written there, nobody will ever read. So each transaction looks before it begins and after it was committed.
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
"""Where a connection's `info` keeps the path of its file, and which file that was."""


class DatabaseFileError(InvalidatePoolError):
    """The file is not where it was opened; new connections may find another one there."""


def keep_private(path: Path) -> None:
    """Make the file where it is missing: folder 0700, file 0600; SQLite's other files follow it.

    A file that is there is never opened here: to close it would drop the locks that SQLite's connections in
    this process have on it (sqlite.org/howtocorrupt.html, 2.2). Other processes may do the same at this
    moment, or remove SQLite's other files as they end.

    Raises:
        OSError: it cannot be made, or may not be read and written.
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
    """Use no connection whose file is gone; where another file took its place, open that one.

    A file that is missing is not made anew: whoever moved it may bring it back, with the events in it.
    """

    @event.listens_for(engine, "do_connect")
    def _note(_dialect: Dialect, record: ConnectionPoolEntry, *_arguments: object) -> None:
        record.info[_FILE] = path, _identity(path)  # before it is opened: what replaces it now will differ

    @event.listens_for(engine, "checkout")
    def _look(_raw: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        _, opened = record.info[_FILE]
        if _identity(path) != opened:
            logger.error(
                "the database file was replaced: what waits in the one before is not delivered",
                extra={"file": str(path)},
            )
            raise _replaced(path)


def check_in_place(info: Mapping[Any, Any]) -> None:
    """Look where the file of a connection is; a database that is no file has none.

    Raises:
        DatabaseFileError: it is not in its place any more.
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
