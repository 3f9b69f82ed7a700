"""Transactions on either database, and their errors in the words of the domain."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import NoReturn

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as WaitedTooLongError

from adapters.sql.engines.sqlite import READS_ONLY, WAIT_SECONDS, set_busy_timeout
from adapters.sql.engines.sqlite_file import DatabaseFileError, check_in_place
from domain.model.errors import TranscriptionServiceError

CERTAINTY_SECONDS = 2.0
"""How long to look for what became of a commit whose answer was lost."""
CERTAINTY_PAUSE_SECONDS = 0.1
DEADLOCK = "40P01"
"""PostgreSQL's code for the one of two transactions that it rolled back, as each waited for the other."""

Failure = type[TranscriptionServiceError]
"""What to raise where the database cannot be had: each port has its own."""


class Database:
    """A database that is ready for use, shared by the threads of one process.

    Args:
        wait_seconds: how long a writer waits for other writers of an SQLite file, in all processes.

    Attributes:
        engine: SQLAlchemy's; made in this process, not carried over a fork.
    """

    def __init__(self, engine: Engine, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self.engine = engine
        self._wait_seconds = wait_seconds
        self._readers = engine.execution_options(**{READS_ONLY: True})
        self._writer = Lock() if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        """Whether one writer at a time is all there can be."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def writing(self, failure: Failure, *, wait_seconds: float | None = None) -> Iterator[Connection]:
        """A transaction that is committed at the end; raises `failure` for what the database refuses.

        Args:
            failure: the error that is raised.
            wait_seconds: how long to wait for other writers of an SQLite file; None for as long as usual.
        """
        try:
            with self._transaction(wait_seconds) as connection:
                yield connection
        except SQLAlchemyError as error:
            _raise(failure, error)

    @contextmanager
    def reading(self, failure: Failure, *, wait_seconds: float | None = None) -> Iterator[Connection]:
        """A transaction that writes nothing and waits for no writer, unless one commits without a WAL.

        Args:
            failure: the error that is raised.
            wait_seconds: how long to wait for that; None for as long as usual.
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
        """Run a write that may be repeated; where the connection breaks, find out whether it was committed.

        A connection that is lost at COMMIT says neither yes nor no. The write is repeated on a new one, where
        it finds what it did before, or waits for it, or does it. So is what the server rolled back because
        two waited for each other. With SQLite, what failed is not repeated.
        """
        deadline = None
        while True:
            try:
                with self._transaction() as connection:
                    write(connection)
            except SQLAlchemyError as error:
                deadline = deadline or self._deadline(error)
                if deadline is None or time.monotonic() > deadline:
                    _raise(failure, error)
                time.sleep(CERTAINTY_PAUSE_SECONDS)
            else:
                return

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, wait_seconds: float | None = None) -> Iterator[Connection]:
        """What it writes is committed to the file that others will read, or this fails."""
        until = self._until(wait_seconds)
        with self._writer_lock(), self.engine.connect() as connection:
            self._wait_until(connection, until)
            with connection.begin():
                yield connection
            check_in_place(connection.info)

    def _until(self, wait_seconds: float | None) -> float:
        return time.monotonic() + (self._wait_seconds if wait_seconds is None else wait_seconds)

    def _wait_until(self, connection: Connection, until: float) -> None:
        if self.is_sqlite:
            set_busy_timeout(connection, until - time.monotonic())

    @contextmanager
    def _writer_lock(self) -> Iterator[None]:
        """SQLite's own waiting is a poll that favours nobody; the threads of one process queue up here."""
        if self._writer is None:
            yield
            return
        if not self._writer.acquire(timeout=self._wait_seconds):
            raise WaitedTooLongError("another thread has been writing for too long")
        try:
            yield
        finally:
            self._writer.release()

    def _deadline(self, error: SQLAlchemyError) -> float | None:
        if self.is_sqlite or not isinstance(error, DBAPIError):
            return None
        may_be_repeated = error.connection_invalidated or _sqlstate(error) == DEADLOCK
        return time.monotonic() + CERTAINTY_SECONDS if may_be_repeated else None


def _sqlstate(error: DBAPIError) -> str | None:
    code: str | None = getattr(error.orig, "sqlstate", None)
    return code


def explain(error: SQLAlchemyError) -> str:
    """What may be told about an error: never a value, which could be a transcript or a password.

    The server's own messages quote values; those of the drivers about files and connections do not.
    """
    if isinstance(error, DatabaseFileError):
        return str(error)
    if not isinstance(error, DBAPIError):
        return type(error).__name__
    name, code = type(error.orig).__name__, _sqlstate(error)
    return f"{name} ({code})" if code else f"{name}: {str(error.orig).strip().splitlines()[0]}"


def _raise(failure: Failure, error: SQLAlchemyError) -> NoReturn:
    raise failure(f"the database does not do its part: {explain(error)}") from None
