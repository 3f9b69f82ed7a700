"""SQLite only: settings, files, the WAL-reset race, a full disk and a locked file."""

import ast
import contextlib
import os
import platform
import stat
import subprocess
import sys
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event

from adapters.sql.database import Database
from adapters.sql.engines.sqlite import (
    FIRST_CONTACT_SECONDS,
    JOURNAL_SIZE_LIMIT,
    PAGE_BYTES,
    WAIT_SECONDS,
    has_wal_reset_race,
    journal_mode,
    library,
    set_busy_timeout,
    set_pragmas,
    sqlite_engine,
)
from adapters.sql.engines.sqlite_file import keep_private
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.upgrade import upgrade_schema
from domain.model.errors import ConfigurationError, OutboxUnavailableError
from domain.model.outbox import OutboxState, Published
from tests.support.databases.databases import LIBRARIES, Place
from tests.support.databases.processes import ROOT, run_together
from tests.support.doubles.delivery import SimulatedTime
from tests.support.faults.failing_disk import is_possible_here
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_event


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 44, 9), False),
        ((3, 45, 0), True),
        ((3, 49, 9), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 0), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), True),
        ((3, 52, 1), False),
        ((3, 53, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_a_library_with_the_wal_reset_race_uses_no_wal(version: tuple[int, ...], affected: bool) -> None:  # noqa: FBT001 - a table
    assert has_wal_reset_race(version) is affected
    assert journal_mode(version) == ("truncate" if affected else "wal")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="pysqlite3 has no wheel for this machine")
def test_the_bundled_library_has_no_wal_reset_race() -> None:
    assert library.__name__ == "pysqlite3.dbapi2"
    assert not has_wal_reset_race(library.sqlite_version_info)


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_every_connection_is_set_up_so_that_commits_stay(tmp_path: Path, library: ModuleType) -> None:
    engine = sqlite_engine(tmp_path / "test.db", library=library)
    connections = [engine.raw_connection() for _ in range(7)]
    expected = {
        "journal_mode": journal_mode(library.sqlite_version_info),
        "synchronous": 2,  # FULL
        "busy_timeout": WAIT_SECONDS * 1000,
        "secure_delete": 1,
        "page_size": PAGE_BYTES,
        "journal_size_limit": JOURNAL_SIZE_LIMIT,
    }

    for connection in connections:
        cursor = connection.cursor()
        for name, value in expected.items():
            cursor.execute(f"PRAGMA {name}")
            assert cursor.fetchone() == (value,), name
        cursor.close()
        connection.close()
    engine.dispose()


@pytest.mark.parametrize("mode", ["wal", "truncate"])
def test_a_file_with_smaller_pages_keeps_them_and_what_it_holds(sqlite_place: Place, mode: str) -> None:
    path = Path(sqlite_place.url.removeprefix("sqlite:///"))
    path.parent.mkdir(exist_ok=True)
    older = library.connect(path)
    older.execute("PRAGMA page_size=4096")
    older.execute(f"PRAGMA journal_mode={mode}")
    older.execute("CREATE TABLE notes (text)")
    older.close()

    database = sqlite_place.open()
    port = SqlOutbox(database)
    lease = port.add(an_event(raw_transcript="word " * 20_000), lease_seconds=60)
    with database.reading(OutboxUnavailableError) as connection:
        assert connection.exec_driver_sql("PRAGMA page_size").scalar_one() == 4096
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"

    assert port.record([Published(lease, "receipt")]) == 1
    database.close()


def test_a_file_that_cannot_have_its_journal_mode_is_not_used() -> None:
    with pytest.raises(library.OperationalError, match="journal mode is memory and cannot be wal"):
        set_pragmas(library.connect(":memory:"), "wal", library)


def test_a_library_that_is_too_old_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    old = ModuleType("sqlite3.dbapi2")
    old.sqlite_version, old.sqlite_version_info = "3.37.2", (3, 37, 2)  # type: ignore[attr-defined]  # a module of our own

    with pytest.raises(ConfigurationError, match=r"has SQLite 3\.37\.2, and 3\.38\.0 is needed"):
        sqlite_engine(tmp_path / "var" / "test.db", library=old)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_a_new_file_that_another_connection_writes_to_is_waited_for(
    tmp_path: Path, library: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself fails the switch of the journal mode at once, without its busy time-out."""
    other, clock = _writing(tmp_path / "test.db", library), SimulatedTime()
    engine = sqlite_engine(tmp_path / "test.db", library=library)

    def pause(seconds: float) -> None:
        clock.wait(seconds)
        if clock() > FIRST_CONTACT_SECONDS / 2:
            other.commit()

    monkeypatch.setattr("adapters.sql.engines.sqlite.time", SimpleNamespace(monotonic=clock, sleep=pause))
    connection = engine.raw_connection()

    mode = connection.cursor().execute("PRAGMA journal_mode").fetchone()
    assert mode == (journal_mode(library.sqlite_version_info),)
    connection.close()
    engine.dispose()
    other.close()


def test_openers_of_a_file_in_wal_mode_let_each_other_leave_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that has read a WAL keeps a lock, with which no other connection can end the WAL mode."""
    path, clock = tmp_path / "test.db", SimulatedTime()
    with contextlib.closing(library.connect(path)) as newer:
        newer.execute("PRAGMA journal_mode=wal")
        newer.execute("CREATE TABLE notes (text)")
    monkeypatch.setattr(library, "sqlite_version_info", (3, 46, 1))  # its mode is another one
    other = library.connect(path, timeout=0)
    other.execute("SELECT * FROM notes").fetchall()

    def pause(seconds: float) -> None:
        clock.wait(seconds)
        with contextlib.suppress(library.OperationalError):
            other.execute("PRAGMA journal_mode=truncate")

    monkeypatch.setattr("adapters.sql.engines.sqlite.time", SimpleNamespace(monotonic=clock, sleep=pause))
    engine = sqlite_engine(path)
    connection = engine.raw_connection()

    assert connection.cursor().execute("PRAGMA journal_mode").fetchone() == ("truncate",)
    connection.close()
    engine.dispose()
    other.close()


def test_once_a_file_was_opened_callers_wait_no_longer_than_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimulatedTime()
    engine = sqlite_engine(tmp_path / "test.db")
    engine.raw_connection().close()
    engine.dispose()
    with contextlib.closing(library.connect(tmp_path / "test.db")) as without_wal:
        without_wal.execute("PRAGMA journal_mode=delete")
    other = _writing(tmp_path / "test.db", library)
    monkeypatch.setattr(
        "adapters.sql.engines.sqlite.time", SimpleNamespace(monotonic=clock, sleep=clock.wait)
    )
    begun = clock()

    with pytest.raises(library.OperationalError, match="database is locked"):
        engine.raw_connection()

    assert clock() - begun < 2 * WAIT_SECONDS
    other.close()


def _writing(path: Path, library: ModuleType) -> Any:
    """Open a connection and leave it in a transaction."""
    connection = library.connect(path)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE notes (text)")
    return connection


@pytest.mark.process
def test_an_engine_on_a_file_in_use_leaves_the_locks_of_this_process_alone(tmp_path: Path) -> None:
    """Closing a file drops the process's locks on it, including those of SQLite's connections."""
    path, program = (
        tmp_path / "test.db",
        "import sqlite3, sys; sqlite3.connect(sys.argv[1], 0).execute('BEGIN IMMEDIATE')",
    )
    database = Database(sqlite_engine(path, library=LIBRARIES["sqlite of the interpreter"]))

    with database.writing(OutboxUnavailableError):
        sqlite_engine(path)
        other = subprocess.run(
            [sys.executable, "-c", program, path], capture_output=True, text=True, check=False
        )
    database.close()

    assert "database is locked" in other.stderr


def test_sqlites_other_files_may_disappear_during_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last connection of another process removes them as it closes."""
    path = tmp_path / "test.db"
    wal = path.with_name("test.db-wal")
    path.touch(0o600)
    wal.touch(0o644)
    chmod = Path.chmod

    def too_late(self: Path, mode: int) -> None:
        self.unlink()
        chmod(self, mode)

    monkeypatch.setattr(Path, "chmod", too_late)

    keep_private(path)

    assert not wal.exists()


def test_a_folder_in_place_of_the_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    with pytest.raises(IsADirectoryError):
        keep_private(tmp_path)

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_link_leads_to_the_file_that_is_made(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to("target.db")

    keep_private(tmp_path / "link.db")

    assert stat.S_IMODE((tmp_path / "target.db").stat().st_mode) == 0o600


def test_a_read_only_file_is_refused_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everything

    with pytest.raises(PermissionError, match="Permission denied"):
        keep_private(tmp_path / "test.db")


def impatient(place: Place) -> Database:
    return Database(sqlite_engine(Path(place.url.removeprefix("sqlite:///"))), wait_seconds=0.05)


def test_readers_wait_for_no_writer(sqlite_place: Place) -> None:
    database = sqlite_place.open()
    SqlOutbox(database).add(an_event())

    with database.writing(OutboxUnavailableError):
        assert SqlOutbox(impatient(sqlite_place)).counts().waiting == 1
    database.close()


def test_a_locked_database_is_reported_and_works_once_it_is_free(sqlite_place: Place) -> None:
    holder = sqlite_place.open()
    port = SqlOutbox(impatient(sqlite_place))

    with holder.writing(OutboxUnavailableError):
        with pytest.raises(OutboxUnavailableError, match="OperationalError: database is locked"):
            port.add(an_event())
        with pytest.raises(OutboxUnavailableError):
            port.lease_due(1, lease_seconds=60)
    port.add(an_event())

    assert port.counts().waiting == 1
    holder.close()


def test_threads_wait_for_each_other_with_a_time_limit(sqlite_place: Place) -> None:
    sqlite_place.open().close()
    database = impatient(sqlite_place)
    with database.writing(OutboxUnavailableError), ThreadPoolExecutor() as threads:
        told = threads.submit(SqlOutbox(database).add, an_event()).exception()
    database.close()

    assert str(told) == "database error: TimeoutError"


def test_the_wait_for_threads_counts_towards_the_time_limit_for_processes(sqlite_place: Place) -> None:
    engine, clock = sqlite_engine(Path(sqlite_place.url.removeprefix("sqlite:///"))), SimulatedTime()
    begun, statements = deque[None](), deque[str]()

    def now() -> float:
        begun.append(None)
        return clock()

    event.listen(engine, "connect", lambda driver, _: driver.set_trace_callback(statements.append))
    database = Database(engine, wait_seconds=60, clock=now)
    with ThreadPoolExecutor(4) as threads:
        with database.writing(OutboxUnavailableError):
            begun.clear()
            writes = [threads.submit(_write, database) for _ in range(4)]
            wait_until(lambda: len(begun) == 4)
            clock.wait(45)
            statements.clear()
        for write in writes:
            write.result()
    database.close()

    assert [each for each in statements if "busy_timeout" in each] == ["PRAGMA busy_timeout=15000"] * 4


def _write(database: Database) -> None:
    with database.writing(OutboxUnavailableError):
        pass


def test_every_transaction_sets_its_own_time_limit(tmp_path: Path) -> None:
    database = Database(sqlite_engine(tmp_path / "test.db"))
    upgrade_schema(database)
    connection = database.engine.raw_connection()
    with database.engine.connect() as late:
        set_busy_timeout(late, 0.01)
    connection.close()

    with database.writing(OutboxUnavailableError) as writing:
        wait = writing.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    with database.reading(OutboxUnavailableError) as reading:
        assert reading.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == WAIT_SECONDS * 1000
    database.close()

    assert 0.9 * WAIT_SECONDS * 1000 <= wait <= WAIT_SECONDS * 1000


def test_folder_and_files_are_private_with_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = Database(sqlite_engine(tmp_path / "var/deep/test.db"))
        upgrade_schema(database)
        SqlOutbox(database).add(an_event())
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "var/deep").iterdir()}
    finally:
        os.umask(before)

    assert modes == {"test.db": 0o600, "test.db-wal": 0o600, "test.db-shm": 0o600}
    assert stat.S_IMODE((tmp_path / "var/deep").stat().st_mode) == 0o700
    database.close()


def test_a_readable_file_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    path.touch(0o644)

    sqlite_engine(path).dispose()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.process
def test_two_processes_on_one_file_publish_every_event_once(sqlite_place: Place) -> None:
    first, second = run_together(2, "publish", sqlite_place.url)

    database = sqlite_place.open()
    port = SqlOutbox(database)
    leased = Counter(first["leased"] + second["leased"])
    states = Counter(record.state for record in port.records(limit=1000))
    waiting = {str(record.interaction_id) for record in port.records(OutboxState.WAITING, limit=1000)}
    database.close()
    assert set(leased.values()) == {1}
    assert set(leased) | waiting == set(first["added"] + second["added"])
    assert states[OutboxState.PUBLISHED] == len(leased)
    assert sum(states.values()) == 120


def test_a_read_only_connection_is_replaced(sqlite_place: Place) -> None:
    """A connection that was opened on a read-only disk stays read-only when the disk is writable again."""
    database = sqlite_place.open()
    port = SqlOutbox(database)
    with database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA query_only = ON")

    with pytest.raises(OutboxUnavailableError, match="attempt to write a readonly database"):
        port.add(an_event())
    port.add(an_event())

    assert port.counts().waiting == 1
    database.close()


@pytest.mark.process
def test_a_file_that_may_not_grow_is_reported_and_recovers(tmp_path: Path) -> None:
    (told,) = run_together(1, "limit", str(tmp_path))

    assert told["kept"] > 3
    assert told["refused"] >= 1  # a checkpoint of the WAL may make room again
    assert told["found"] == told["recorded"] >= told["kept"]


@pytest.mark.process
def test_a_full_disk_is_reported_and_recovers(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no disk can be mounted here; a limit on the file stands in for it in the test above")
    try:
        (told,) = run_together(1, "disk", str(tmp_path))
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)

    assert told["kept"] > 3
    assert told["refused"] == 4
    assert told["found"] == told["recorded"] == told["kept"]


@pytest.mark.process
@pytest.mark.skipif(not is_possible_here(), reason="needs seccomp user notification")
def test_a_disk_that_fails_to_sync_is_reported_and_recovers(tmp_path: Path) -> None:
    (told,) = run_together(1, "syncs", str(tmp_path))

    assert told["refused"] == 5
    assert told["reopened"] == 1
    assert told["journal"] == 0  # its content is in the database, and synced
    assert set(told["found"]) >= set(told["kept"])
    assert told["integrity"] == "ok"


def test_only_one_file_imports_sqlite() -> None:
    """Two SQLite libraries in one process drop each other's locks on a file."""
    ours = ("domain", "ports", "adapters", "bootstrap", "entrypoints", "benchmarks")
    importers = {
        path.relative_to(ROOT).as_posix()
        for folder in ours
        for path in (ROOT / folder).rglob("*.py")
        if {"sqlite3", "pysqlite3", "apsw"} & imported_packages(path)
    }

    assert importers == {"adapters/sql/engines/sqlite.py"}


def imported_packages(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.split(".", maxsplit=1)[0] for name in names}
