"""SQLite, set up so that what was committed stays: the only place that imports it.

Two SQLite libraries in one process drop each other's locks on a shared file, so nobody else may. The file
has to lie on a local file system: over NFS, SMB and the like its locks and its shared memory do not hold.
Engines are made in the process that uses them, never carried over a fork.
"""

import threading
import time
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry

from adapters.sql.engines.sqlite_file import keep_private, watch
from domain.model.errors import ConfigurationError

try:
    from pysqlite3 import dbapi2
except (
    ImportError
):  # no wheel for this platform: the interpreter's own, with a rollback journal (docs/adr/0021)
    from sqlite3 import dbapi2

library: ModuleType = dbapi2
"""The SQLite that is used here."""

WAIT_SECONDS = 3.0
"""How long a writer waits for other threads and other processes, in sum: callers wait with it."""
FIRST_CONTACT_SECONDS = 60.0
"""How long a process that opens a file waits for others that meet it for the first time, too: they switch its
journal mode and make its tables, on a slow disk perhaps, and no caller waits yet."""
SWITCH_PAUSE_SECONDS = 0.02
JOURNAL_SIZE_LIMIT = 16 * 2**20
"""Bytes of journal that may stay on the disk once it is not needed."""

PAGE_BYTES = 16_384
"""Of a new file. Long texts take fewer pages than with SQLite's 4,096, and to overwrite them once they are
published takes two thirds of the time."""

BUSY, READ_ONLY, IO_ERROR, CORRUPT = 5, 8, 10, 11
"""SQLITE_BUSY, SQLITE_READONLY, SQLITE_IOERR and SQLITE_CORRUPT, the lowest byte of a code
(sqlite.org/rescode.html)."""

OLDEST = (3, 38, 0)
"""The first SQLite with the operator `->>`, which the statements here use; RETURNING came with 3.35."""

READS_ONLY = "reads_only"
"""The execution option of connections that take no write lock."""


def sqlite_engine(path: Path, *, library: ModuleType = library, busy_seconds: float = WAIT_SECONDS) -> Engine:
    """An engine on a file that only this user may read; file and folder are made where they are missing.

    Raises:
        ConfigurationError: this SQLite is older than `OLDEST`.
        OSError: file or folder cannot be made.
    """
    _check_version(library)
    keep_private(path)
    engine = create_engine(
        URL.create("sqlite", database=str(path.absolute())),
        module=library,
        connect_args={"isolation_level": None, "timeout": busy_seconds},  # we say BEGIN, see below
        hide_parameters=True,
    )
    mode = journal_mode(library.sqlite_version_info)
    opened, doubts = threading.Event(), threading.Event()

    @event.listens_for(engine, "connect")
    def _set_up(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        read_damaged_texts_too(connection)
        set_pragmas(connection, mode, library, busy_seconds if opened.is_set() else FIRST_CONTACT_SECONDS)
        opened.set()
        if doubts.is_set():
            checkpoint(connection, library)
            doubts.clear()

    @event.listens_for(engine, "handle_error")
    def _begin_anew(context: ExceptionContext) -> None:
        if is_io_error(context.original_exception):
            doubts.set()
        elif not is_read_only(context.original_exception):
            return
        context.is_disconnect = True  # all connections are closed, each before it would be used again

    event.listen(engine, "begin", _begin)
    watch(engine, path.absolute())
    return engine


def journal_mode(version: tuple[int, ...]) -> str:
    """`wal`, or `truncate` where the library has the WAL-reset race."""
    return "truncate" if has_wal_reset_race(version) else "wal"


def has_wal_reset_race(version: tuple[int, ...]) -> bool:
    """Whether this SQLite can lose commits of a WAL that several connections use.

    In 3.7.0 to 3.51.2; mended in 3.51.3, 3.50.7 and 3.44.6. 3.52.0 was withdrawn (sqlite.org/wal.html).
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


def set_pragmas(
    connection: DBAPIConnection, mode: str, library: ModuleType, wait_seconds: float = WAIT_SECONDS
) -> None:
    """What SQLite does not store in the file, so that every connection has to say it.

    Args:
        connection: one that was just made.
        mode: the journal mode.
        library: the connection's.
        wait_seconds: how long to wait for other processes where the mode is not the file's yet.
    """
    cursor = connection.cursor()
    _pragma(cursor, f"page_size={PAGE_BYTES}")  # before the mode; a file that is not new keeps its own
    found = _switch_journal(cursor, mode, library, wait_seconds)
    if found != mode:
        raise library.OperationalError(f"the journal mode is {found} and cannot be {mode}")
    _pragma(cursor, "synchronous=FULL")
    _pragma(cursor, "secure_delete=ON")
    _pragma(cursor, f"journal_size_limit={JOURNAL_SIZE_LIMIT}")
    cursor.close()


def _switch_journal(cursor: DBAPICursor, mode: str, library: ModuleType, wait_seconds: float) -> object:
    """Switch, or find that it is done already.

    Where two connections switch a new file at once, or one of them writes to it, SQLite fails one of them
    without regard to its busy time-out, since both could wait for each other. The one that failed holds
    nothing, so that it can simply try again.
    """
    until = time.monotonic() + wait_seconds
    while True:
        try:
            return _pragma(cursor, f"journal_mode={mode}")
        except library.OperationalError as error:
            if _kind(error) != BUSY or time.monotonic() > until:
                raise
        time.sleep(SWITCH_PAUSE_SECONDS)


def read_damaged_texts_too(connection: Any) -> None:  # noqa: ANN401 - either library's own class
    """Read a text that is not UTF-8 with lone surrogates, which no event may have: the row is skipped.

    By itself the driver fails the whole statement, so that one damaged byte would keep every event from
    being claimed, and it quotes the text.
    """
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")


def is_io_error(error: BaseException) -> bool:
    """Whether after this error nobody knows what is on the disk: a sync that failed, for instance.

    The kernel may drop what it could not write, and say yes when the sync is repeated.
    """
    return _kind(error) in (IO_ERROR, CORRUPT)


def is_read_only(error: BaseException) -> bool:
    """Whether the file could not be written to; SQLite never asks again for a file that it has opened so."""
    return _kind(error) == READ_ONLY


def _kind(error: BaseException) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def checkpoint(connection: DBAPIConnection, library: ModuleType) -> None:
    """Write all that the WAL holds into the database, and sync that; then begin the WAL at its beginning.

    The WAL can hold commits that only the kernel's memory still knows. What is appended to them would be lost
    with them, however well it was synced itself.
    """
    cursor = connection.cursor()
    is_busy = _pragma(cursor, "wal_checkpoint(TRUNCATE)")
    cursor.close()
    if is_busy:
        raise library.OperationalError("the WAL is in use, and cannot be written out after an I/O error")


def set_busy_timeout(connection: Connection, seconds: float) -> None:
    """Limit how long a connection waits for another process; to be said before a transaction begins."""
    cursor = connection.connection.cursor()  # the driver's; one of ours would begin a transaction
    cursor.execute(f"PRAGMA busy_timeout={max(0, round(seconds * 1000))}")
    cursor.close()


def _pragma(cursor: DBAPICursor, assignment: str) -> object:
    cursor.execute(f"PRAGMA {assignment}")
    row = cursor.fetchone()
    return row[0] if row else None


def _begin(connection: Connection) -> None:
    """Writers say so first: a transaction that begins to write half-way fails where it should wait."""
    reads_only = connection.get_execution_options().get(READS_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
