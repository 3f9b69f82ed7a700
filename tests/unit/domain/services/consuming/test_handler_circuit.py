"""Handler circuit: outages behind the handlers, and single events that always fail."""

import logging
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import HandlerError, InfrastructureError
from domain.services.consuming.handler_circuit import HandlerCircuit
from domain.services.consuming.options import ConsumerOptions
from domain.services.resilience.circuit_breaker import DEFAULT_THRESHOLD
from tests.contracts.deduplication_port import a_key
from tests.support.doubles.queue import failing_with
from tests.support.harness.consumer import OPTIONS, ConsumerHarness

HOUR = 3600.0
LONGEST_PAUSE = 60.0
HOURLY_TRIES = 2 * HOUR / LONGEST_PAUSE
"""The most probes an hour: once it has grown, a delay takes half a minute at least."""
HOURLY_DEAD_LETTERS = 6
SOME = 20
"""More tries than it takes to open the circuit and to let the delays grow."""


@pytest.fixture
def harness() -> ConsumerHarness:
    return ConsumerHarness()


def until(harness: ConsumerHarness, is_enough: Callable[[], object]) -> None:
    """Run the loop and the heartbeat until the condition holds."""
    while not is_enough():
        before = harness.clock()
        harness.steps()
        harness.clock.seconds = max(harness.clock(), before + 0.01)
        if int(harness.clock()) > int(before):
            harness.heartbeat.tick()


def passed(harness: ConsumerHarness, seconds: float) -> Callable[[], bool]:
    """Return a condition that holds once that time has passed."""
    end = harness.clock() + seconds
    return lambda: harness.clock() >= end


def begin_outage(harness: ConsumerHarness, events: int = DEFAULT_THRESHOLD) -> None:
    """Let every handler call fail until the circuit opens."""
    harness.send_many(events)
    harness.handler.fails = "the shop is closed"
    until(harness, lambda: harness.circuit.is_open)


@pytest.mark.parametrize("events", [5, 20, 300])
def test_an_outage_of_hours_dead_letters_six_events_an_hour_at_most_and_nothing_is_lost(
    harness: ConsumerHarness, events: int
) -> None:
    sent = {event.interaction_id for event in harness.send_many(events)}
    harness.handler.fails = "the shop is closed"

    until(harness, passed(harness, 4 * HOUR))

    assert len(harness.handler.got) <= 4 * HOURLY_TRIES + SOME
    assert len(harness.dead.bodies()) <= 4 * HOURLY_DEAD_LETTERS
    harness.handler.fails = None
    until(harness, lambda: not harness.queue.bodies())
    handled = {received.event.interaction_id for received in harness.handler.got}
    assert handled == sent
    assert harness.figures().get("handled", 0) == events - len(harness.dead.bodies())


def test_an_outage_of_half_an_hour_dead_letters_nothing(harness: ConsumerHarness) -> None:
    harness.send_many(50)
    harness.handler.fails = "the shop is closed"

    until(harness, passed(harness, HOUR / 2))
    harness.handler.fails = None
    until(harness, lambda: not harness.queue.bodies())

    assert harness.dead.bodies() == []
    assert harness.figures()["handled"] == 50
    assert max(received.receive_count for received in harness.handler.got) <= 2


def test_a_poison_event_among_good_ones_becomes_a_dead_letter_after_three_receives(
    harness: ConsumerHarness,
) -> None:
    poison = harness.send()
    others = harness.send_many(30)

    def work(received: ReceivedEvent) -> None:
        if received.event == poison:
            raise HandlerError("it cannot be stored")

    harness.handler.does = work
    for _ in range(3):
        until(harness, passed(harness, 500))
        others += harness.send_many(30)
    until(harness, passed(harness, 500))

    assert [got.receive_count for got in harness.handler.got if got.event == poison] == [1, 2, 3]
    assert len(harness.dead.bodies()) == 1
    assert harness.figures() == {
        "handled": len(others),
        "failed": 3,
        "failed_events": 1,
        "unhandled_events": 1,
    }


def test_during_an_outage_a_good_event_overtakes_those_that_fail(harness: ConsumerHarness) -> None:
    begin_outage(harness)
    good = harness.send()

    def work(received: ReceivedEvent) -> None:
        if received.event != good:
            raise HandlerError("it cannot be stored")

    harness.handler.fails, harness.handler.does = None, work
    until(harness, lambda: good in harness.handler.events)

    assert not harness.circuit.is_open
    assert harness.clock() < 1000 + 2 * LONGEST_PAUSE


def test_poison_events_alone_become_dead_letters_too_though_slowly(harness: ConsumerHarness) -> None:
    begin_outage(harness, DEFAULT_THRESHOLD + 1)

    until(harness, lambda: len(harness.dead.bodies()) == DEFAULT_THRESHOLD + 1)

    assert harness.queue.bodies() == []


def test_the_first_success_closes_the_circuit_and_retained_events_follow_at_once(
    harness: ConsumerHarness,
) -> None:
    begin_outage(harness, 8)
    until(harness, passed(harness, 300))
    assert harness.in_flight.waiting()

    harness.handler.fails = None
    until(harness, lambda: not harness.circuit.is_open)
    back = harness.clock()
    until(harness, lambda: harness.figures().get("handled") == 8)

    assert harness.clock() < back + 1
    assert harness.queue.bodies() == []
    assert harness.figures()["pauses"] == 1
    assert "unhandled_events" not in harness.figures()


def test_an_outage_and_its_end_are_logged_once_each(
    harness: ConsumerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    begin_outage(harness, 20)
    logged_before = [line for line in caplog.records if line.message == "event not handled"]

    until(harness, passed(harness, 600))
    harness.handler.fails = None
    until(harness, lambda: not harness.circuit.is_open)

    assert len(logged_before) == DEFAULT_THRESHOLD - 1
    begins, ends = (line for line in caplog.records if line not in logged_before)
    assert (begins.message, begins.levelname) == ("consumer paused", "ERROR")
    assert begins.__dict__["error"].endswith("events failed in a row, the last one: the shop is closed")
    assert (ends.message, ends.levelname) == ("consumer resumed", "INFO")


def test_retained_messages_stay_hidden_and_leased_and_are_released_at_the_end(
    harness: ConsumerHarness,
) -> None:
    begin_outage(harness, 12)
    other = harness.another()
    until(harness, passed(harness, 400))
    retained = harness.in_flight.all()
    assert len(retained) >= DEFAULT_THRESHOLD

    assert other.receiver.receive(10, wait_seconds=0).received == 0
    harness.acknowledger.release(harness.in_flight.take_waiting())
    other.steps(2 * len(retained))

    assert len(other.handler.got) == len(retained)


def test_a_message_whose_handler_was_stuck_goes_back_to_the_queue_during_an_outage(
    harness: ConsumerHarness,
) -> None:
    begin_outage(harness)
    harness.handler.does = lambda _: harness.wait(harness.options.handler_timeout + 2)

    until(harness, lambda: len(harness.handler.got) > DEFAULT_THRESHOLD)

    assert harness.circuit.is_open
    assert harness.handler.events[-1] not in [message.envelope.event for message in harness.in_flight.all()]
    assert harness.heartbeat.count_stuck() == 0


def test_only_one_thread_probes_at_a_time(harness: ConsumerHarness) -> None:
    begin_outage(harness, 9)
    second = harness.another_thread()

    def meanwhile(_: ReceivedEvent) -> None:
        before = len(harness.handler.got)
        harness.clock.advance(LONGEST_PAUSE)
        assert second.step()
        assert len(harness.handler.got) == before

    harness.handler.does = meanwhile
    until(harness, lambda: len(harness.handler.got) == DEFAULT_THRESHOLD + 1)


def test_delays_between_probes_grow_up_to_a_minute(harness: ConsumerHarness) -> None:
    begin_outage(harness, 30)
    at: list[float] = [harness.clock()]
    harness.handler.does = lambda _: at.append(harness.clock())

    until(harness, lambda: len(at) == 12)

    delays = [after - before for before, after in pairwise(at)]
    assert delays[0] < sum(delays[:3]) < delays[-1] <= LONGEST_PAUSE + 1.1  # a thread looks once a second
    assert min(delays[-4:]) >= LONGEST_PAUSE / 2


def test_an_outage_of_the_queue_meanwhile_is_waited_out(harness: ConsumerHarness) -> None:
    begin_outage(harness)
    harness.queue.before["receive"] = failing_with(InfrastructureError("the queue is away"))
    until(harness, passed(harness, 120))

    harness.queue.before.clear()
    harness.handler.fails = None
    until(harness, lambda: not harness.queue.bodies())

    assert harness.figures()["handled"] == DEFAULT_THRESHOLD


@pytest.mark.parametrize("options", [replace(OPTIONS, drain=True), replace(OPTIONS, max_messages=15)])
def test_a_run_with_an_end_of_its_own_gives_up_after_a_few_probes(options: ConsumerOptions) -> None:
    harness = ConsumerHarness(options)
    harness.send_many(40)
    harness.handler.fails = "the shop is closed"

    harness.loop.run()

    assert DEFAULT_THRESHOLD < len(harness.handler.got) <= SOME
    assert harness.clock() < 1000 + 60
    harness.acknowledger.release(harness.in_flight.take_waiting())
    assert harness.queue.depth().waiting >= 40 - len(harness.handler.got)


@pytest.mark.parametrize(
    "options", [replace(OPTIONS, drain=True), replace(OPTIONS, max_messages=DEFAULT_THRESHOLD)]
)
def test_a_run_with_an_end_of_its_own_goes_on_if_the_outage_ends_in_time(options: ConsumerOptions) -> None:
    harness = ConsumerHarness(options)
    begin_outage(harness)
    harness.handler.fails = None

    harness.loop.run()

    assert harness.figures()["handled"] >= 1


def test_a_success_in_between_resets_the_count() -> None:
    circuit = HandlerCircuit()
    for _ in range(DEFAULT_THRESHOLD):
        circuit.failed(a_key(), "closed", 0.0)
        circuit.succeeded()

    assert not circuit.is_open


def test_exactly_one_failure_opens_the_circuit() -> None:
    circuit = HandlerCircuit()

    opened = [circuit.failed(a_key(), "closed", 0.0) for _ in range(DEFAULT_THRESHOLD + 2)]

    assert opened.count(True) == 1
