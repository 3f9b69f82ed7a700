"""End of a run after a number of events: blocked events, and receives of several threads."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import ProcessedEventsUnavailableError
from domain.services.resilience.circuit_breaker import DEFAULT_THRESHOLD
from tests.support.doubles.queue import failing_with
from tests.support.harness.consumer import OPTIONS, ConsumerHarness


def limited(number: int, beside: ConsumerHarness | None = None) -> ConsumerHarness:
    """Return a consumer that ends after that many events."""
    return ConsumerHarness(replace(OPTIONS, max_messages=number), beside=beside)


def run(harness: ConsumerHarness) -> None:
    """Run the thread to its end, with a tick of the heartbeat after each step."""
    while not harness.stop.is_set() and harness.loop.step():
        harness.heartbeat.tick()


def blocked_beside(other: ConsumerHarness, number: int = 1) -> ConsumerHarness:
    """Return a consumer whose first event is blocked: the other one received a duplicate of it."""
    event = other.send()
    other.receive()
    other.send(event)
    harness = limited(number, beside=other)
    harness.receive()
    return harness


def test_a_run_waits_for_the_lease_of_a_dead_consumer_without_another_receive() -> None:
    dead = ConsumerHarness()
    harness = blocked_beside(dead)
    received = len(harness.queue.received)

    run(harness)

    assert [received.receive_count for received in harness.handler.got] == [1]
    assert harness.figures() == {"handled": 1}
    assert len(harness.queue.received) == received


def test_a_run_ends_when_another_consumer_handled_its_last_event() -> None:
    other = ConsumerHarness()
    harness = blocked_beside(other)
    assert harness.loop.step()

    other.steps()
    run(harness)

    assert harness.handler.got == []
    assert harness.figures() == {"duplicates": 1}
    assert harness.queue.bodies() == []


@pytest.mark.parametrize("error", [ProcessedEventsUnavailableError("away"), RuntimeError("a defect")])
def test_a_blocked_event_stays_in_flight_while_the_database_fails(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = blocked_beside(ConsumerHarness())
    with monkeypatch.context() as patch:
        patch.setattr(harness.memory, "acquire", lambda *_, **__: failing_with(error)())
        harness.wait(120)
        assert harness.loop.step()

    run(harness)

    assert [received.receive_count for received in harness.handler.got] == [1]
    assert harness.figures() == {"handled": 1}


def test_a_run_that_waits_for_a_blocked_event_ends_with_a_stop() -> None:
    harness = blocked_beside(ConsumerHarness())
    begun = harness.clock()
    assert harness.loop.step()
    assert 0 < harness.clock() - begun <= 2

    harness.stop.set()
    harness.loop.run()

    assert harness.handler.got == []


def test_a_thread_goes_on_while_another_one_only_receives() -> None:
    harness = limited(50)
    harness.send_many(20)
    harness.steps(2)  # the pace is known, so the next receive is for all that is left
    second = harness.another_thread()
    goes_on: list[bool] = []
    harness.queue.before["receive"] = lambda: goes_on.append(second.step())

    harness.steps()
    harness.queue.before.clear()
    second.step()

    assert goes_on
    assert all(goes_on)
    assert len(harness.handler.got) == 2


def test_every_thread_ends_once_all_events_are_received_and_started() -> None:
    harness = limited(2)
    harness.send_many(3)
    second = harness.another_thread()

    def meanwhile(_: ReceivedEvent) -> None:
        if len(harness.handler.got) == 2:
            assert not second.step()

    harness.handler.does = meanwhile
    run(harness)

    assert harness.figures() == {"handled": 2}
    assert harness.queue.depth().waiting == 1


def while_the_last_probe_runs(harness: ConsumerHarness, does: Callable[[], object]) -> None:
    """Open the circuit, and call `does` while no event but blocked ones is left."""
    harness.send_many(DEFAULT_THRESHOLD)
    harness.handler.fails = "the shop is closed"
    while not harness.circuit.is_open:
        harness.steps()
    harness.handler.does = lambda _: does()
    while len(harness.handler.got) == DEFAULT_THRESHOLD:
        harness.steps()


def test_a_thread_does_not_give_up_during_an_outage_while_an_event_is_blocked() -> None:
    harness = blocked_beside(ConsumerHarness(), DEFAULT_THRESHOLD + 1)
    second = harness.another_thread()
    goes_on: list[bool] = []

    while_the_last_probe_runs(harness, lambda: goes_on.append(second.step()))

    assert goes_on == [True]


def test_a_thread_gives_up_during_an_outage_while_the_last_event_is_tried() -> None:
    harness = limited(DEFAULT_THRESHOLD)
    second = harness.another_thread()
    goes_on: list[bool] = []

    while_the_last_probe_runs(harness, lambda: goes_on.append(second.step()))

    assert goes_on == [False]
