"""Failing bus: in the end it receives every promised event."""

from collections.abc import Callable

import pytest

from tests.support.doubles.bus_faults import THROTTLED, Cut, EntryCount, Fault, Garbage, Latency, SomeRefused
from tests.support.doubles.stub_bus import StubBus
from tests.support.faults.callers import Callers
from tests.support.faults.checker import PromiseLog, nothing_lost
from tests.support.faults.relay_process import drain
from tests.support.faults.servers import Server
from tests.support.harness.cases import typical_first
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until

RECORDINGS = 24

TAKES_NOTHING: dict[str, Fault] = {
    "every call throttled": THROTTLED,
    "connections reset before acceptance": Cut.RESET,
    "refusals with an unknown code": SomeRefused("SomethingNew", share=1.0),
    "garbage with status 200": Garbage(b"<html>a proxy speaks</html>"),
    "answers without entries": Garbage(b"{}"),
}
TAKES_SOME: dict[str, Fault] = {
    "30 % of the entries failing": SomeRefused("InternalFailure", share=0.3),
    "connections closed after acceptance": Cut.CLOSE,
    "connections reset in the middle of the answer": Cut.HALFWAY,
    "answers after the time-out": Latency(2.5),
    "too many entries in the answers": EntryCount(2),
}
FAULTS = TAKES_NOTHING | TAKES_SOME
TYPICAL = {"every call throttled", "connections closed after acceptance"}


@pytest.mark.parametrize("name", typical_first(FAULTS, typical=TYPICAL))
def test_a_fault_that_ends_loses_nothing(
    bus: StubBus,
    database_url: str,
    callers: Callers,
    promises: PromiseLog,
    new_server: Callable[..., Server],
    name: str,
) -> None:
    server = new_server()
    bus.fail_always(FAULTS[name])
    answers = callers.upload_many(server.url, RECORDINGS)
    if name in TAKES_SOME:
        wait_until(lambda: bus.accepted)
    taken = len(bus.accepted)
    bus.fail_always(None)
    answers += callers.upload_many(server.url, RECORDINGS)
    server.kill()
    drain(database_url, bus.url)

    assert set(answers) <= {"published", "queued"}
    assert answers.count("queued")
    assert bool(taken) is (name in TAKES_SOME)
    nothing_lost(promises, bus.accepted, at_least=2 * RECORDINGS)


def test_a_bus_that_is_down_for_the_whole_run_gets_everything_when_it_is_back(
    bus: StubBus, callers: Callers, promises: PromiseLog, new_server: Callable[..., Server]
) -> None:
    without_bus = new_server(AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}")
    answers = callers.upload_many(without_bus.url, RECORDINGS)
    wait_until(lambda: without_bus.health()["events"]["held_back"])
    waiting = without_bus.health()["events"]["outbox"]["waiting"]
    without_bus.kill()
    with_bus = new_server()
    wait_until(lambda: with_bus.health()["events"]["outbox"]["waiting"] == 0)

    assert answers == ["queued"] * RECORDINGS
    assert waiting == RECORDINGS
    nothing_lost(promises, bus.accepted, at_least=RECORDINGS)
