"""Full, locked and restarted databases: every promised event arrives, and no other event is promised."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.sql.database import Database
from adapters.sql.engines.factory import engine_for
from domain.model.errors import OutboxUnavailableError
from tests.support.databases.databases import PostgreSqlServer, own_postgresql_server
from tests.support.doubles.bus_faults import INTERNAL_ERROR
from tests.support.doubles.delivery import seeded
from tests.support.doubles.stub_bus import StubBus
from tests.support.faults import failing_disk
from tests.support.faults.callers import CALLERS, Callers
from tests.support.faults.checker import PromiseLog, nothing_lost
from tests.support.faults.failing_disk import DiskFault
from tests.support.faults.relay_process import drain
from tests.support.faults.servers import Server
from tests.support.harness.cases import typical_first
from tests.support.harness.service import wait_until

RECORDINGS = 12
BACKENDS_TO_KILL = 10


@pytest.fixture
def postgresql() -> Iterator[PostgreSqlServer]:
    with own_postgresql_server() as server:
        yield server


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Return the folder for the files that switch faults on, see `failing_disk`."""
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


needs_a_failing_disk = pytest.mark.skipif(
    not failing_disk.is_possible_here(), reason="needs seccomp user notification"
)


@needs_a_failing_disk
@pytest.mark.parametrize("fault", DiskFault)
def test_a_disk_that_fails_leaves_the_bus_and_is_used_again_when_it_works(
    bus: StubBus,
    database_url: str,
    callers: Callers,
    promises: PromiseLog,
    new_server: Callable[..., Server],
    disk: Path,
    fault: DiskFault,
) -> None:
    server = new_server((sys.executable, "-m", "tests.support.faults.failing_disk", str(disk)))
    before = callers.upload_many(server.url, RECORDINGS)
    (disk / fault).touch()
    without_outbox = callers.upload_many(server.url, RECORDINGS)
    calls = bus.calls
    bus.fail_always(INTERNAL_ERROR)
    without_both = callers.upload_many(server.url, RECORDINGS)
    (disk / fault).unlink()
    without_bus = callers.upload_many(server.url, RECORDINGS)
    bus.fail_always(None)
    server.kill()
    drain(database_url, bus.url)

    assert set(before) == set(without_outbox) == {"published"}
    assert calls <= 3 * RECORDINGS  # no retry storm of outcomes that cannot be recorded
    assert without_both == ["failed"] * RECORDINGS
    assert without_bus == ["queued"] * RECORDINGS
    nothing_lost(promises, bus.accepted, at_least=3 * RECORDINGS)
    assert integrity_of(database_url) == "ok"


def integrity_of(database_url: str) -> str:
    database = Database(engine_for(database_url))
    with database.reading(OutboxUnavailableError) as connection:
        found: str = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
    database.close()
    return found


def test_a_database_file_that_was_deleted_leaves_the_bus(
    bus: StubBus, database_url: str, callers: Callers, promises: PromiseLog, new_server: Callable[..., Server]
) -> None:
    server = new_server()
    callers.upload_many(server.url, RECORDINGS)
    wait_until(lambda: server.health()["events"]["outbox"]["waiting"] == 0)  # they would be lost
    path = Path(database_url.removeprefix("sqlite:///"))
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    without_outbox = callers.upload_many(server.url, RECORDINGS)
    bus.fail_always(INTERNAL_ERROR)
    without_both = callers.upload_many(server.url, RECORDINGS)
    wait_until(lambda: "is gone" in str(server.health()["events"]["relay"]["paused"]))
    bus.fail_always(None)
    server.kill()
    server.start()
    server.wait_until_ready()
    anew = callers.upload_many(server.url, RECORDINGS)

    assert set(without_outbox) == {"published"}
    assert without_both == ["failed"] * RECORDINGS
    assert set(anew) <= {"published", "queued"}
    server.kill()
    drain(database_url, bus.url)
    nothing_lost(promises, bus.accepted, at_least=3 * RECORDINGS)


def test_a_locked_database_leaves_the_bus_and_works_once_it_is_free(
    bus: StubBus, database_url: str, callers: Callers, promises: PromiseLog, new_server: Callable[..., Server]
) -> None:
    server = new_server()
    database = Database(engine_for(database_url))
    with database.writing(OutboxUnavailableError):
        locked = callers.upload_many(server.url, CALLERS)
    free = callers.upload_many(server.url, RECORDINGS)
    database.close()
    server.kill()
    drain(database_url, bus.url)

    assert locked == ["published"] * CALLERS
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
    bus.fail_always(INTERNAL_ERROR)  # so that only the outbox keeps the events
    with callers.calling([server.url]):
        for _ in range(2):
            wait_for_answers(callers, "queued", 5)
            postgresql.restart_at_once()
        wait_for_answers(callers, "queued", 5)
    bus.fail_always(None)
    server.kill()
    drain(url, bus.url)

    nothing_lost(promises, bus.accepted, at_least=15)


@pytest.mark.parametrize(
    "in_commit", typical_first([False, True], typical=[True]), ids=["at random moments", "during COMMIT"]
)
def test_backends_of_postgresql_that_are_killed_under_load_lose_nothing(
    postgresql: PostgreSqlServer,
    bus: StubBus,
    callers: Callers,
    promises: PromiseLog,
    new_server: Callable[..., Server],
    *,
    in_commit: bool,
) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")  # noqa: T201 - pytest prints it if the test fails
    url, random = postgresql.new_url(), seeded(seed)
    server = new_server(DATABASE_URL=url)
    bus.fail_always(INTERNAL_ERROR)  # so that only the outbox keeps the events
    killed = 0
    with callers.calling([server.url]):
        wait_for_answers(callers, "queued", 5)
        while killed < BACKENDS_TO_KILL:
            time.sleep(0 if in_commit else random.uniform(0, 0.2))  # the moment is random on purpose
            killed += postgresql.kill_backends(url, in_commit=in_commit)
        wait_for_answers(callers, "queued", 5)
    bus.fail_always(None)
    server.kill()
    drain(url, bus.url)

    assert set(callers.answers) <= {"queued", "failed"}
    nothing_lost(promises, bus.accepted, at_least=10)


def wait_for_answers(callers: Callers, status: str, more: int) -> None:
    wanted = callers.answers[status] + more
    wait_until(lambda: callers.answers[status] >= wanted)
