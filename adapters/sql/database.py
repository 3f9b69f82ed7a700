"""Transactions on either database, and their errors in the words of the domain."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import NoReturn

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as WaitedTooLongError

from adapters.sql.sqlite import BUSY_SECONDS, READS_ONLY
from domain.model.errors import TranscriptionServiceError

CERTAINTY_SECONDS = 2.0
"""How long to look for what became of a commit whose answer was lost."""
CERTAINTY_PAUSE_SECONDS = 0.1

Failure = type[TranscriptionServiceError]
"""What to raise where the database cannot be had: each port has its own."""


class Database:
    """A database that is ready for use, shared by the threads of one process.

    Attributes:
        engine: SQLAlchemy's; made in this process, not carried over a fork.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._readers = engine.execution_options(**{READS_ONLY: True})
        self._writer = Lock() if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        """Whether one writer at a time is all there can be."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def writing(self, failure: Failure) -> Iterator[Connection]:
        """A transaction that is committed at the end; raises `failure` for what the database refuses."""
        try:
            with self._turn(), self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            _raise(failure, error)

    @contextmanager
    def reading(self, failure: Failure) -> Iterator[Connection]:
        """A transaction that writes nothing and waits for no writer."""
        try:
            with self._readers.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            _raise(failure, error)

    def write_certainly(self, write: Callable[[Connection], object], failure: Failure) -> None:
        """Run a write that may be repeated; where the connection breaks, find out whether it was committed.

        A connection that is lost at COMMIT says neither yes nor no. The write is repeated on a new one, where
        it finds what it did before, or waits for it, or does it.
        """
        deadline = None
        while True:
            try:
                with self._turn(), self.engine.begin() as connection:
                    write(connection)
            except SQLAlchemyError as error:
                deadline = deadline or _deadline(error)
                if deadline is None or time.monotonic() > deadline:
                    _raise(failure, error)
                time.sleep(CERTAINTY_PAUSE_SECONDS)
            else:
                return

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self.engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite's own waiting is a poll that favours nobody; the threads of one process queue up here."""
        if self._writer is None:
            yield
            return
        if not self._writer.acquire(timeout=BUSY_SECONDS):
            raise WaitedTooLongError("another thread has been writing for too long")
        try:
            yield
        finally:
            self._writer.release()


def explain(error: SQLAlchemyError) -> str:
    """What may be told about an error: never a value, which could be a transcript or a password.

    The server's own messages quote values; those of the drivers about files and connections do not.
    """
    if not isinstance(error, DBAPIError):
        return type(error).__name__
    name, code = type(error.orig).__name__, getattr(error.orig, "sqlstate", None)
    return f"{name} ({code})" if code else f"{name}: {str(error.orig).strip().splitlines()[0]}"


def _deadline(error: SQLAlchemyError) -> float | None:
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return time.monotonic() + CERTAINTY_SECONDS if lost else None


def _raise(failure: Failure, error: SQLAlchemyError) -> NoReturn:
    raise failure(f"the database does not do its part: {explain(error)}") from None
