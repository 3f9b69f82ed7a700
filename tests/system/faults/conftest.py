"""Fixtures of the fault tests: a bus, callers, their promises, and servers that end with the test."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.doubles.stub_bus import StubBus
from tests.support.faults.bus import RoughBus, environ_of
from tests.support.faults.callers import Callers
from tests.support.faults.checker import PromiseLog
from tests.support.faults.servers import CREDENTIALS, Server
from tests.support.faults.webhook import BUSES
from tests.support.harness.installed_command import PROGRAM
from tests.support.samples.recordings import record, tone


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bus(request: pytest.FixtureRequest) -> Iterator[RoughBus]:
    """Run a stub of EventBridge, or of the transport that the test's parameter names."""
    with BUSES[getattr(request, "param", "eventbridge")]() as bus:
        yield bus


@pytest.fixture
def promises(tmp_path: Path) -> PromiseLog:
    return PromiseLog(tmp_path / "promised")


@pytest.fixture
def callers(tmp_path: Path, promises: PromiseLog) -> Callers:
    return Callers(record(tmp_path / "a.wav", tone(0.5)).read_bytes(), promises)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/transcripts.db"


@pytest.fixture
def new_server(tmp_path: Path, database_url: str, bus: StubBus) -> Iterator[Callable[..., Server]]:
    """Return a maker of running servers, by default on one database and one bus."""
    servers: list[Server] = []

    def make(program: Sequence[str] = (str(PROGRAM),), **environ: str) -> Server:
        own = {"DATABASE_URL": database_url, **environ_of(bus.url), **environ}
        servers.append(Server(tmp_path / f"server-{len(servers)}", program=program, **own))
        servers[-1].start()
        servers[-1].wait_until_ready()
        return servers[-1]

    yield make
    for server in servers:
        server.close()
