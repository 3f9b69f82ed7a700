"""Heartbeat: in-flight messages of slow and stuck handlers."""

from dataclasses import replace

import pytest

from domain.model.errors import InfrastructureError, ProcessedEventsUnavailableError
from domain.services.consuming.heartbeat import PRUNE_SECONDS
from ports.queue_port import MAX_VISIBILITY_TIMEOUT
from tests.support.doubles.queue import failing_with
from tests.support.harness.consumer import OPTIONS, ConsumerHarness


@pytest.fixture
def harness() -> ConsumerHarness:
    return ConsumerHarness()


def test_an_in_flight_message_stays_hidden_and_leased_as_long_as_its_handler_runs(
    harness: ConsumerHarness,
) -> None:
    event = harness.send()
    other = harness.another()

    def slow(_: object) -> None:
        for _ in range(20):
            harness.wait(30)
            assert harness.queue.depth() == (0, 1)
        harness.send(event)
        other.steps(1)
        assert not other.in_flight.start(harness.clock())

    harness.handler.does = slow
    harness.steps(2)

    assert harness.figures() == {"handled": 1}
    assert harness.queue.counts().popitem()[1] == 1


def test_a_timeout_is_extended_in_time_and_not_with_each_tick(harness: ConsumerHarness) -> None:
    harness.send()
    harness.receive()
    timeouts = 10

    harness.wait(timeouts * harness.options.visibility_timeout)

    assert timeouts < harness.queue.calls.count("change_visibility") <= 5 * timeouts


def test_messages_that_were_not_started_stay_hidden_too(harness: ConsumerHarness) -> None:
    harness.send_many(6)
    harness.steps(3)
    prefetched = len(harness.in_flight)

    harness.wait(300)

    assert harness.queue.depth().in_flight == prefetched > 0


def test_a_message_is_given_up_at_the_maximum_visibility_timeout_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    harness = ConsumerHarness(
        replace(OPTIONS, visibility_timeout=3600, handler_timeout=MAX_VISIBILITY_TIMEOUT * 2)
    )
    harness.send()
    harness.receive()
    for _ in range(2 * 14):
        harness.clock.advance(1800)
        harness.heartbeat.tick()

    assert harness.queue.depth() == (1, 0)
    assert caplog.messages == ["message reached the maximum visibility timeout and will be redelivered"]


def test_a_message_that_the_queue_does_not_extend_is_given_up_with_a_warning(
    harness: ConsumerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.send()
    harness.receive()
    (message,) = harness.in_flight.all()
    harness.queue.delete([message.message])

    harness.wait(60)

    assert caplog.messages == ["visibility timeout not extended, the message was deleted or redelivered"]


def test_an_unavailable_queue_is_logged_once_and_tried_again(
    harness: ConsumerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.send()
    harness.receive()
    harness.queue.before["change_visibility"] = failing_with(InfrastructureError("the queue is away"))

    harness.wait(15)
    assert caplog.messages == ["consumer paused"]
    assert harness.queue.calls.count("change_visibility") > 1
    harness.queue.before.clear()
    harness.wait(30)

    assert harness.queue.depth() == (0, 1)


def away(*_arguments: object, **_named: object) -> None:
    raise ProcessedEventsUnavailableError("the database is away")


def test_a_lease_lasts_as_long_as_its_handler_while_only_the_queue_is_away(harness: ConsumerHarness) -> None:
    harness.send()
    other = harness.another()

    def slow(_: object) -> None:
        harness.queue.before["change_visibility"] = failing_with(InfrastructureError("the queue is away"))
        harness.wait(3 * harness.options.lease_seconds)
        other.steps(2)

    harness.handler.does = slow
    harness.steps(2)

    assert harness.figures() == {"handled": 1}
    assert other.handler.got == []


def test_a_message_stays_hidden_while_only_the_database_is_away(
    harness: ConsumerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.send()
    harness.receive()
    monkeypatch.setattr(harness.memory, "renew", away)
    timeouts = 10

    harness.wait(timeouts * harness.options.visibility_timeout)

    assert harness.queue.depth() == (0, 1)
    assert harness.queue.calls.count("change_visibility") <= 5 * timeouts
    assert harness.outage_log.is_on


@pytest.mark.parametrize("error", [ProcessedEventsUnavailableError("away"), RuntimeError("a defect")])
def test_a_message_is_hidden_in_time_though_its_lease_was_not_renewed(
    harness: ConsumerHarness, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    harness.send()
    harness.receive()
    monkeypatch.setattr(harness.memory, "renew", lambda *_, **__: failing_with(error)())

    harness.wait(harness.options.visibility_timeout + 1)

    assert harness.queue.depth() == (0, 1)


def test_outages_of_the_queue_and_the_database_at_once_are_logged_once_each(
    harness: ConsumerHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    harness.send()
    harness.receive()
    harness.queue.before["change_visibility"] = failing_with(InfrastructureError("the queue is away"))
    monkeypatch.setattr(harness.memory, "renew", away)

    harness.wait(60)

    assert caplog.messages == ["consumer paused"] * 2
    assert {vars(line)["error"] for line in caplog.records} == {"the queue is away", "the database is away"}


def test_a_stuck_handler_is_logged_and_its_message_redelivered(caplog: pytest.LogCaptureFixture) -> None:
    harness = ConsumerHarness(replace(OPTIONS, handler_timeout=60))
    event = harness.send()
    other = harness.another()

    def block(_: object) -> None:
        harness.wait(60)
        assert harness.heartbeat.count_stuck() == 0
        harness.wait(120)
        assert harness.heartbeat.count_stuck() == 1
        other.steps(2)

    harness.handler.does = block
    harness.steps(2)

    assert caplog.messages.count("handler exceeded its timeout, the message will be redelivered") == 1
    assert other.handler.events == [event]
    assert harness.heartbeat.count_stuck() == 0, "the handler returned"


def test_expired_deduplication_records_are_pruned(harness: ConsumerHarness) -> None:
    harness.send()
    harness.steps(2)
    harness.clock.advance(29 * 86_400)

    harness.heartbeat.tick()

    assert harness.memory.prune() == 0


def test_a_run_of_a_few_seconds_prunes_expired_records_too(harness: ConsumerHarness) -> None:
    harness.send()
    harness.steps(2)
    harness.clock.advance(29 * 86_400)
    next_run = harness.another()

    next_run.wait(1)

    assert harness.memory.prune() == 0


def test_records_are_pruned_with_the_first_tick_and_then_every_ten_minutes(
    harness: ConsumerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruned_at: list[float] = []
    monkeypatch.setattr(harness.memory, "prune", lambda: pruned_at.append(harness.clock()))
    begun = harness.clock()

    harness.wait(2 * PRUNE_SECONDS)

    assert pruned_at == [begun + 1, begun + 1 + PRUNE_SECONDS]


def test_a_run_goes_on_if_records_cannot_be_pruned(
    harness: ConsumerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.send()
    monkeypatch.setattr(harness.memory, "prune", away)
    harness.wait(1)
    monkeypatch.undo()

    harness.steps(2)

    assert harness.figures() == {"handled": 1}


def test_a_success_is_acknowledged_by_the_heartbeat_if_no_thread_does(harness: ConsumerHarness) -> None:
    harness.send_many(4)
    harness.steps(4)

    harness.wait(2)

    assert harness.figures() == {"handled": 2}


def test_an_unexpected_error_is_logged_with_its_trace_and_ends_nothing(
    harness: ConsumerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.send()
    harness.receive()
    harness.queue.before["change_visibility"] = failing_with(RuntimeError("a defect"))
    harness.wait(15)
    (*_, record) = caplog.records
    assert (record.message, record.levelname) == (
        "unexpected error in the heartbeat, tried again with the next tick",
        "ERROR",
    )
    assert record.exc_info
    assert vars(record)["error_type"] == "RuntimeError"
    caplog.clear()
    harness.queue.before.clear()

    harness.wait(30)
    assert harness.queue.depth() == (0, 1)
    harness.steps()

    assert caplog.records == []
    assert harness.figures() == {"handled": 1}
