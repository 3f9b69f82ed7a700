"""Servers killed under load lose no promised event."""

import time
from collections.abc import Callable

import pytest

from tests.support.doubles.bus_faults import SomeRefused
from tests.support.doubles.delivery import seeded
from tests.support.doubles.stub_bus import StubBus
from tests.support.faults.callers import Callers
from tests.support.faults.checker import PromiseLog, nothing_lost
from tests.support.faults.killing import kill_again_and_again
from tests.support.faults.relay_process import drain
from tests.support.faults.servers import Server

ROUNDS = 10
CASES = [("eventbridge", 1), ("eventbridge", 2), ("webhook", 2)]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("bus", "count"), CASES, indirect=["bus"])
def test_servers_killed_at_random_moments_lose_nothing(
    bus: StubBus,
    database_url: str,
    callers: Callers,
    promises: PromiseLog,
    new_server: Callable[..., Server],
    count: int,
) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")  # noqa: T201 - pytest shows it where the test fails
    servers = [new_server() for _ in range(count)]

    bus.fail_always(SomeRefused("InternalFailure", share=0.5))  # so that many promises depend on the outbox
    with callers.calling([server.url for server in servers]):
        kill_again_and_again(servers, ROUNDS, seeded(seed), promised=lambda: callers.answers["queued"])
    for server in servers:
        server.kill()
    bus.fail_always(None)
    drain(database_url, bus.url)

    verdict = nothing_lost(promises, bus.accepted, at_least=ROUNDS)
    assert callers.answers["none"] >= ROUNDS / 2
    assert callers.answers["queued"] >= ROUNDS
    assert verdict.duplicates <= verdict.promised
