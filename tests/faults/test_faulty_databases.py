"""Databases that are full, locked or restarted: what was promised arrives, and nothing else is promised."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.sql.database import Database
from adapters.sql.engines import engine_for
from domain.model.errors import OutboxUnavailableError
from tests.databases import PostgreSqlServer, postgresql_server
from tests.faults.callers import Callers
from tests.faults.checker import PromiseLog, nothing_lost
from tests.faults.relay_process import drain
from tests.faults.servers import Server
from tests.service import wait_until
from tests.stub_bus import INTERNAL_ERROR, StubBus

RECORDINGS = 12
NO_LIMIT = 2**40


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[PostgreSqlServer]:
    with postgresql_server(tmp_path) as server:
        yield server


def size_of_journal(database_url: str) -> int:
    return Path(database_url.removeprefix("sqlite:///") + "-wal").stat().st_size


def test_a_full_disk_leaves_the_bus_and_space_that_comes_back_is_used(
    bus: StubBus,
    database_url: str,
    callers: Callers,
    promises: PromiseLog,
    new_server: Callable[..., Server],
) -> None:
    server = new_server()
    before = callers.upload_many(server.url, RECORDINGS)
    server.limit_files_to(size_of_journal(database_url))
    without_outbox = callers.upload_many(server.url, RECORDINGS)
    calls = bus.calls
    bus.fail_always(INTERNAL_ERROR)
    without_both = callers.upload_many(server.url, RECORDINGS)
    server.limit_files_to(NO_LIMIT)
    without_bus = callers.upload_many(server.url, RECORDINGS)
    bus.fail_always(None)
    server.kill()
    drain(database_url, bus.url)

    assert set(before) == set(without_outbox) == {"published"}
    assert calls <= 3 * RECORDINGS  # no storm of what cannot be recorded
    assert without_both == ["failed"] * RECORDINGS
    assert without_bus == ["queued"] * RECORDINGS
    nothing_lost(promises, bus.accepted, at_least=3 * RECORDINGS)


def test_a_locked_database_leaves_the_bus_and_works_once_it_is_free(
    bus: StubBus,
    database_url: str,
    callers: Callers,
    promises: PromiseLog,
    new_server: Callable[..., Server],
) -> None:
    server = new_server()
    database = Database(engine_for(database_url))
    with database.writing(OutboxUnavailableError):
        locked = callers.upload_many(server.url, 2)
    free = callers.upload_many(server.url, RECORDINGS)
    database.close()
    server.kill()
    drain(database_url, bus.url)

    assert locked == ["published"] * 2
    assert set(free) <= {"published", "queued"}
    nothing_lost(promises, bus.accepted, at_least=RECORDINGS)


def test_a_postgresql_that_restarts_under_load_loses_nothing(
    postgresql: PostgreSqlServer,
    bus: StubBus,
    callers: Callers,
    promises: PromiseLog,
    new_server: Callable[..., Server],
) -> None:
    url = postgresql.new_url()
    server = new_server(DATABASE_URL=url)
    bus.fail_always(INTERNAL_ERROR)  # so that nothing but the outbox keeps the promises
    with callers.calling([server.url]):
        for _ in range(2):
            wait_for_answers(callers, "queued", 5)
            restart_at_once(postgresql)
        wait_for_answers(callers, "queued", 5)
    bus.fail_always(None)
    server.kill()
    drain(url, bus.url)

    nothing_lost(promises, bus.accepted, at_least=15)


def wait_for_answers(callers: Callers, status: str, more: int) -> None:
    wanted = callers.answers[status] + more
    wait_until(lambda: callers.answers[status] >= wanted, seconds=60)


def restart_at_once(postgresql: PostgreSqlServer) -> None:
    """Once more, where a backend of the old server was still there and kept the new one from starting."""
    with contextlib.suppress(subprocess.CalledProcessError):
        postgresql.restart_at_once()
        return
    postgresql.restart_at_once()
