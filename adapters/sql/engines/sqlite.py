"""SQLite engine, set up for durable commits; the only module that imports SQLite.

Two SQLite libraries in one process drop each other's locks on a shared file, so no other module may import
one. The file must be on a local file system: over NFS, SMB and the like, its locks and shared memory fail.
Create engines in the process that uses them, never before a fork.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import random
from types import ModuleType
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry

from adapters.sql.engines.sqlite_file import keep_private, watch
from domain.model.errors import ConfigurationError

try:
    from pysqlite3 import dbapi2
except (
    ImportError
):  # no wheel for this platform: use the interpreter's own, with a rollback journal (docs/adr/0021)
    from sqlite3 import dbapi2

library: ModuleType = dbapi2
"""The SQLite library in use."""

WAIT_SECONDS = 3.0
"""Time limit of a writer for other threads and processes in total; its caller waits, too."""
FIRST_CONTACT_SECONDS = 60.0
"""Time limit of the first connection for other processes that open a new file: they switch its journal mode
and create its tables, perhaps on a slow disk, and no caller waits yet."""
SWITCH_PAUSE_SECONDS = 0.02
JOURNAL_SIZE_LIMIT = 16 * 2**20
"""Maximum bytes of an unused journal that stay on the disk."""

PAGE_BYTES = 16_384
"""Page size of a new file. Long texts need fewer pages than with SQLite's 4,096, and overwriting them after
publication takes two thirds of the time."""

BUSY, READ_ONLY, IO_ERROR, CORRUPT = 5, 8, 10, 11
"""SQLITE_BUSY, SQLITE_READONLY, SQLITE_IOERR and SQLITE_CORRUPT, the lowest byte of a code
(sqlite.org/rescode.html)."""

OLDEST = (3, 38, 0)
"""The first SQLite with the operator `->>`, which our statements use; RETURNING came with 3.35."""

READS_ONLY = "reads_only"
"""Execution option of connections that take no write lock."""


def sqlite_engine(path: Path, *, library: ModuleType = library, busy_seconds: float = WAIT_SECONDS) -> Engine:
    """Create an engine on a file that only this user may read; create file and folder if missing.

    Raises:
        ConfigurationError: this SQLite is older than `OLDEST`.
        OSError: file or folder cannot be created.
    """
    _check_version(library)
    keep_private(path)
    engine = create_engine(
        URL.create("sqlite", database=str(path.absolute())),
        module=library,
        connect_args={"isolation_level": None, "timeout": busy_seconds},  # `_begin` sends BEGIN itself
        hide_parameters=True,
    )
    mode = journal_mode(library.sqlite_version_info)
    opened, has_failed = threading.Event(), threading.Event()

    watch(engine, path.absolute())  # notes the file before it is opened

    @event.listens_for(engine, "do_connect")
    def _connect(
        _dialect: Dialect, _record: ConnectionPoolEntry, args: Sequence[Any], options: Mapping[str, Any]
    ) -> DBAPIConnection:
        wait_seconds = busy_seconds if opened.is_set() else FIRST_CONTACT_SECONDS
        return connected(partial(library.connect, *args, **options), mode, library, wait_seconds)

    @event.listens_for(engine, "connect")
    def _set_up(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        decode_damaged_texts(connection)
        opened.set()
        if has_failed.is_set():
            checkpoint(connection, library)
            has_failed.clear()

    @event.listens_for(engine, "handle_error")
    def _reconnect(context: ExceptionContext) -> None:
        if is_io_error(context.original_exception):
            has_failed.set()
        elif not is_read_only(context.original_exception):
            return
        context.is_disconnect = True  # closes every connection before its next use

    event.listen(engine, "begin", _begin)
    return engine


def journal_mode(version: tuple[int, ...]) -> str:
    """Return `wal`, or `truncate` for a library with the WAL-reset race."""
    return "truncate" if has_wal_reset_race(version) else "wal"


def has_wal_reset_race(version: tuple[int, ...]) -> bool:
    """Tell if this SQLite can lose commits of a WAL that several connections use.

    Affected are 3.7.0 to 3.51.2; fixed in 3.51.3, 3.50.7, 3.44.6. 3.52.0 was withdrawn (sqlite.org/wal.html).
    """
    if version[:2] in ((3, 44), (3, 50)):
        return version < ((3, 44, 6) if version[1] == 44 else (3, 50, 7))  # noqa: PLR2004 - a version
    return version < (3, 51, 3) or version == (3, 52, 0)


def _check_version(library: ModuleType) -> None:
    if library.sqlite_version_info < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise ConfigurationError(
            f"DATABASE_URL: this Python has SQLite {library.sqlite_version}, and {oldest} is needed. Use a"
            " newer Python or operating system, or a PostgreSQL (postgresql+psycopg://…)."
        )


def connected(
    connect: Callable[[], DBAPIConnection], mode: str, library: ModuleType, wait_seconds: float
) -> DBAPIConnection:
    """Open a connection in a journal mode; each try, for `wait_seconds`, has a connection of its own.

    If two connections switch the mode of a file at once, or one of them writes to it, SQLite fails one of
    them without its busy time-out, since both could wait for each other. A connection that has read a WAL
    keeps a lock, with which no other one can end the WAL mode; so a failed one is closed.
    """
    until = time.monotonic() + wait_seconds
    while True:
        connection = connect()
        try:
            set_pragmas(connection, mode, library)
        except library.Error as error:
            connection.close()
            if _kind(error) != BUSY or time.monotonic() > until:
                raise
        else:
            return connection
        time.sleep(SWITCH_PAUSE_SECONDS * (1 + random()))  # noqa: S311 - not in step with others, keeps no secret


def set_pragmas(connection: DBAPIConnection, mode: str, library: ModuleType) -> None:
    """Set the options of a new connection that SQLite does not store in the file."""
    cursor = connection.cursor()
    _pragma(cursor, f"page_size={PAGE_BYTES}")  # before the mode; an existing file keeps its own
    found = _pragma(cursor, f"journal_mode={mode}")
    if found != mode:
        raise library.OperationalError(f"the journal mode is {found} and cannot be {mode}")
    _pragma(cursor, "synchronous=FULL")
    _pragma(cursor, "secure_delete=ON")
    _pragma(cursor, f"journal_size_limit={JOURNAL_SIZE_LIMIT}")
    cursor.close()


def decode_damaged_texts(connection: Any) -> None:  # noqa: ANN401 - either library's own class
    """Decode text that is not UTF-8 to lone surrogates, which no event may have, so that its row is skipped.

    By default, the driver fails the whole statement and quotes the text: one damaged byte would keep every
    event from being leased.
    """
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")


def is_io_error(error: BaseException) -> bool:
    """Tell if the content of the disk is unknown after this error, such as a failed sync.

    The kernel may drop what it could not write, and report success when the sync is repeated.
    """
    return _kind(error) in (IO_ERROR, CORRUPT)


def is_read_only(error: BaseException) -> bool:
    """Tell if the file was read-only; SQLite keeps a file read-only that it has opened so."""
    return _kind(error) == READ_ONLY


def _kind(error: BaseException) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def checkpoint(connection: DBAPIConnection, library: ModuleType) -> None:
    """Write the WAL into the database, sync the database, and truncate the WAL.

    The WAL can hold commits that are only in the kernel's memory. A commit appended after them would be lost
    with them, even if it was synced itself.
    """
    if not truncate_wal(connection):
        raise library.OperationalError("the WAL is in use and cannot be checkpointed after an I/O error")


def truncate_wal(connection: DBAPIConnection) -> bool:
    """Write the WAL into the database and truncate it; False where a reader is in the way for too long.

    Without a WAL, the journal is empty already.
    """
    cursor = connection.cursor()
    is_busy = _pragma(cursor, "wal_checkpoint(TRUNCATE)")
    cursor.close()
    return not is_busy


def set_busy_timeout(connection: Connection, seconds: float) -> None:
    """Limit how long a connection waits for another process; call it before a transaction begins."""
    cursor = connection.connection.cursor()  # of the driver: SQLAlchemy's would begin a transaction
    cursor.execute(f"PRAGMA busy_timeout={max(0, round(seconds * 1000))}")
    cursor.close()


def _pragma(cursor: DBAPICursor, assignment: str) -> object:
    cursor.execute(f"PRAGMA {assignment}")
    row = cursor.fetchone()
    return row[0] if row else None


def _begin(connection: Connection) -> None:
    """Take a writer's lock first: a transaction that starts to write half-way fails instead of waiting."""
    reads_only = connection.get_execution_options().get(READS_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
