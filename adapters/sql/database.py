"""Transactions on SQLite and PostgreSQL, shared by concurrent writers, with errors in the domain's words."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Lock
from typing import Generic, NoReturn, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as WaitedTooLongError

from adapters.sql.engines.sqlite import READS_ONLY, WAIT_SECONDS, set_busy_timeout, truncate_wal
from adapters.sql.engines.sqlite_file import DatabaseFileError, check_in_place
from domain.model.errors import TranscriptionServiceError

CONFIRM_SECONDS = 2.0
"""Time to repeat a write whose COMMIT was not answered."""
CONFIRM_PAUSE_SECONDS = 0.1
DEADLOCK = "40P01"
"""PostgreSQL's code for the one of two waiting transactions that it rolled back."""
LOCK_TIMEOUTS = frozenset({"55P03", "57014"})
"""PostgreSQL's codes for a statement that waited for a lock, or ran, for too long."""

Failure = type[TranscriptionServiceError]
"""The error to raise if the database is unavailable: each port has its own."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Database:
    """A database with its schema up to date, shared by the threads of one process."""

    def __init__(
        self,
        engine: Engine,
        *,
        # the time a writer waits for other writers of an SQLite file, in all processes
        wait_seconds: float = WAIT_SECONDS,
        confirm_seconds: float = CONFIRM_SECONDS,  # the time for which `write_confirmed` repeats a write
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine  # SQLAlchemy's engine; it must not be carried over a fork
        self._wait_seconds = wait_seconds
        self._confirm_seconds = confirm_seconds
        self._clock = clock
        self._readers = engine.execution_options(**{READS_ONLY: True})
        self._writer = Lock() if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        """True for SQLite, which has one writer at a time."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def writing(self, failure: Failure, *, wait_seconds: float | None = None) -> Iterator[Connection]:
        """Open a transaction, committed at the end of the block; raise `failure` if the database fails.

        `wait_seconds` is the time to wait for other writers of an SQLite file; None for the usual time.
        """
        try:
            with self._transaction(wait_seconds) as connection:
                yield connection
        except SQLAlchemyError as error:
            _raise(failure, error)

    @contextmanager
    def reading(self, failure: Failure, *, wait_seconds: float | None = None) -> Iterator[Connection]:
        """Open a transaction for reading; raise `failure` if the database fails.

        It waits for a writer only if that one commits without a WAL, for `wait_seconds` or the usual time.
        """
        until = self._until(wait_seconds)
        try:
            with self._readers.connect() as connection:
                self._wait_until(connection, until)
                with connection.begin():
                    yield connection
        except SQLAlchemyError as error:
            _raise(failure, error)

    def write_confirmed(self, write: Callable[[Connection], object], failure: Failure) -> None:
        """Run a repeatable write, and repeat it on a new connection if the old one broke.

        A connection lost at COMMIT leaves open whether the write was committed: the repeated write finds its
        rows, waits for them, or writes them. A write that PostgreSQL rolled back to end a deadlock is
        repeated, too. With SQLite, a failed write is not repeated.
        """
        deadline = None
        while True:
            try:
                with self._transaction() as connection:
                    write(connection)
            except SQLAlchemyError as error:
                deadline = deadline or self._deadline(error)
                if deadline is None or self._clock() > deadline:
                    _raise(failure, error)
                time.sleep(CONFIRM_PAUSE_SECONDS)
            else:
                return

    def shared_write(
        self,
        # writes the items of all callers and returns one result for each
        write: Callable[[Connection, Sequence[Item]], Sequence[Result]],
        failure: Failure,  # the error to raise if the database fails
        *,
        confirmed: bool = False,  # run it as `write_confirmed` does; then `write` must be repeatable
    ) -> "SharedWrite[Item, Result]":
        """Return a write whose concurrent callers share one transaction."""
        return SharedWrite(self, write, failure, confirmed=confirmed)

    def truncate_log(self, failure: Failure) -> bool:
        """Write the write-ahead log of SQLite into its file, and empty it; raise `failure` if that fails.

        Returns:
            False where another process reads an old state of the file for too long. A server has its own log.
        """
        if not self.is_sqlite:
            return True
        try:
            with self._one_writer(), self.engine.connect() as connection:
                set_busy_timeout(connection, self._wait_seconds)
                return truncate_wal(connection.connection)
        except SQLAlchemyError as error:
            _raise(failure, error)

    def close(self) -> None:
        """Close the idle connections."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, wait_seconds: float | None = None) -> Iterator[Connection]:
        """Commit to the file that other processes read, or fail."""
        until = self._until(wait_seconds)
        with self._one_writer(), self.engine.connect() as connection:
            self._wait_until(connection, until)
            with connection.begin():
                yield connection
            check_in_place(connection.info)

    def _until(self, wait_seconds: float | None) -> float:
        return self._clock() + (self._wait_seconds if wait_seconds is None else wait_seconds)

    def _wait_until(self, connection: Connection, until: float) -> None:
        if self.is_sqlite:
            set_busy_timeout(connection, until - self._clock())

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        """Queue the writers of this process: SQLite polls its lock, in no order."""
        if self._writer is None:
            yield
            return
        if not self._writer.acquire(timeout=self._wait_seconds):
            raise WaitedTooLongError("another thread writes for too long")
        try:
            yield
        finally:
            self._writer.release()

    def _deadline(self, error: SQLAlchemyError) -> float | None:
        if self.is_sqlite or not isinstance(error, DBAPIError):
            return None
        may_be_repeated = error.connection_invalidated or _sqlstate(error) == DEADLOCK
        return self._clock() + self._confirm_seconds if may_be_repeated else None


class SharedWrite(Generic[Item, Result]):
    """A write that commits the items of all threads that wait for it at once (docs/adr/0017).

    A sync of the disk costs one transaction what it costs many. A thread that comes alone writes at once; a
    failure is the failure of the whole group.
    """

    def __init__(
        self,
        database: Database,
        write: Callable[[Connection, Sequence[Item]], Sequence[Result]],
        failure: Failure,
        *,
        confirmed: bool,
    ) -> None:
        self._database = database
        self._write = write
        self._failure = failure
        self._confirmed = confirmed
        self._committing = Lock()
        self._waiting: deque[tuple[Item, Future[Result]]] = deque()

    @property
    def waiting(self) -> int:
        """The number of items that are in no transaction yet."""
        return len(self._waiting)

    def __call__(self, item: Item) -> Result:
        """Write the item, and return its result once its group is committed."""
        mine = Future[Result]()
        self._waiting.append((item, mine))
        with self._committing:
            if not mine.done():
                self._commit()
        return mine.result()

    def _commit(self) -> None:
        group: list[tuple[Item, Future[Result]]] = []
        results: list[Result] = []

        def write(connection: Connection) -> None:
            group.extend(self._arrived())  # includes those that came while the database served others
            results[:] = self._write(connection, [item for item, _ in group])

        try:
            self._transact(write)
        except BaseException as error:
            for _, waiting in (*group, *self._arrived()):
                waiting.set_exception(error)
            raise
        for (_, waiting), result in zip(group, results, strict=True):
            waiting.set_result(result)

    def _transact(self, write: Callable[[Connection], None]) -> None:
        if self._confirmed:
            self._database.write_confirmed(write, self._failure)
            return
        with self._database.writing(self._failure) as connection:
            write(connection)

    def _arrived(self) -> Iterator[tuple[Item, Future[Result]]]:
        while self._waiting:
            yield self._waiting.popleft()


def is_lock_timeout(error: DBAPIError) -> bool:
    """Return true if other transactions were in the way for too long; the database itself works."""
    return _sqlstate(error) in LOCK_TIMEOUTS


def _sqlstate(error: DBAPIError) -> str | None:
    code: str | None = getattr(error.orig, "sqlstate", None)
    return code


def explain(error: SQLAlchemyError) -> str:
    """Return a text about an error without any value, which could be a transcript or a password.

    The server's messages quote values; the drivers' messages about files and connections do not.
    """
    if isinstance(error, DatabaseFileError):
        return str(error)
    if not isinstance(error, DBAPIError):
        return type(error).__name__
    name, code = type(error.orig).__name__, _sqlstate(error)
    return f"{name} ({code})" if code else f"{name}: {str(error.orig).strip().splitlines()[0]}"


def _raise(failure: Failure, error: SQLAlchemyError) -> NoReturn:
    raise failure(f"database error: {explain(error)}") from None
