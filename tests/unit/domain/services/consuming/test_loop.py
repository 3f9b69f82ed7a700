"""Loop of a consumer: the outcome of messages, by their content and the result of their handlers."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.model.consuming.lease import EventKey, LeaseStatus, ProcessingLease
from domain.model.errors import (
    HandlerError,
    InfrastructureError,
    PayloadStoreError,
    ProcessedEventsUnavailableError,
)
from domain.model.events.envelope import EventEnvelope
from domain.model.events.event import TEST_EVENT_LABEL, BatchProcessingCompletedV2
from domain.model.events.kinds import EventKind
from domain.model.events.sent import SentEvent
from domain.model.route.test_event import route_test_event
from domain.services.consuming.options import ConsumerOptions
from tests.support.doubles.queue import failing_with
from tests.support.harness.consumer import OPTIONS, ConsumerHarness
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import A_MOMENT, a_failure, an_erasure, an_event

SECRET = "never in a log"


@pytest.fixture
def harness() -> ConsumerHarness:
    return ConsumerHarness()


def test_an_event_is_handled_while_its_message_is_hidden_then_recorded_and_deleted(
    harness: ConsumerHarness,
) -> None:
    event = harness.send()
    depths: list[object] = []
    harness.handler.does = lambda _: depths.append(harness.queue.depth())

    harness.steps(2)

    (received,) = harness.handler.got
    assert (received.event, received.replay, received.receive_count) == (event, None, 1)
    assert received.sent_at
    assert depths == [(0, 1)]
    assert harness.queue.bodies() == []
    assert harness.figures() == {"handled": 1}


def test_a_message_is_deleted_after_its_event_is_recorded(harness: ConsumerHarness) -> None:
    harness.send()
    harness.queue.before["delete"] = failing_with(InfrastructureError("away"))

    harness.steps(2)
    harness.queue.before.clear()
    harness.wait(31)
    harness.steps(2)

    assert len(harness.handler.got) == 1
    assert harness.figures() == {"handled": 1, "duplicates": 1}
    assert harness.queue.bodies() == []


def test_a_failed_message_reappears_after_a_growing_delay_and_is_dead_lettered_after_three_receives(
    harness: ConsumerHarness,
) -> None:
    harness.send()
    harness.handler.fails = "the shop is closed"

    delays = []
    for _ in range(3):
        harness.steps(2)
        failed_at = harness.clock()
        while not harness.queue.depth().waiting and harness.clock() < failed_at + 1000:
            harness.clock.advance(1)
        delays.append(harness.clock() - failed_at)
    harness.steps()

    assert [received.receive_count for received in harness.handler.got] == [1, 2, 3]
    for delay, longest in zip(delays, (30, 120, 480), strict=True):
        assert longest / 2 <= delay <= longest
    assert harness.figures() == {"failed": 3, "failed_events": 1, "unhandled_events": 1}
    assert len(harness.dead.bodies()) == 1
    assert "delete" not in harness.queue.calls


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (HandlerError("the shop is closed"), "the shop is closed"),
        (ValueError(SECRET), "ValueError"),
        (SystemExit(3), "SystemExit"),
        (KeyboardInterrupt(SECRET), "KeyboardInterrupt"),
    ],
)
def test_any_exception_of_a_handler_is_a_failure_logged_with_its_message_and_event_but_no_text(
    harness: ConsumerHarness, caplog: pytest.LogCaptureFixture, error: BaseException, logged: str
) -> None:
    event = harness.send(an_event(raw_transcript=SECRET))
    harness.handler.does = lambda _: failing_with(error)()

    harness.steps(2)

    assert harness.figures() == {"failed": 1, "failed_events": 1, "unhandled_events": 1}
    (line,) = caplog.records
    assert logged in line.__dict__["error"]
    assert line.__dict__["interaction_id"] == str(event.interaction_id)
    assert line.__dict__["message_id"]
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("not json", "not JSON"),
        (json.dumps({"hello": SECRET}), "no envelope"),
        (an_event(raw_transcript=SECRET).to_json(), "no envelope"),
        (enveloped(source="com.others"), "com.others"),
        (enveloped(detail_type="MeetingEnded"), "MeetingEnded"),
        (enveloped(detail={"version": "3.0", "data": SECRET}), "3.0"),
        (enveloped(detail={"version": "1.0", "data": {"raw_transcript": SECRET}}), "detail.user_id"),
    ],
)
def test_an_unreadable_message_is_never_handled_never_deleted_and_dead_lettered(
    harness: ConsumerHarness, caplog: pytest.LogCaptureFixture, body: str, reason: str
) -> None:
    message_id = harness.queue.send(body)

    for _ in range(4):
        harness.steps()
        harness.clock.advance(500)

    assert harness.handler.got == []
    assert harness.dead.bodies() == [body]
    assert "delete" not in harness.queue.calls
    assert harness.figures() == {"unreadable": 3}
    assert [line.__dict__["message_id"] for line in caplog.records] == [message_id] * 3
    assert reason in caplog.records[0].__dict__["error"]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("body", ["not json", "an unexpected error"])
def test_a_message_that_cannot_be_read_affects_no_other(harness: ConsumerHarness, body: str) -> None:
    parse = harness.parse

    def read(body: str) -> EventEnvelope:
        if body == "an unexpected error":
            raise OverflowError(SECRET)
        return parse(body)

    harness.parse = read
    harness.send()
    harness.steps(2)  # its pace is known
    harness.queue.send(body)
    event = harness.send()

    harness.steps(2)

    assert harness.handler.events[1:] == [event]
    assert harness.figures() == {"handled": 2, "unreadable": 1}


def test_a_duplicate_is_recognised_by_another_consumer_for_28_days(harness: ConsumerHarness) -> None:
    event = harness.send()
    harness.steps(2)
    other = harness.another()
    harness.clock.advance(28 * 86_400 - 60)
    harness.send(event)

    other.steps(2)
    assert other.handler.got == []

    harness.clock.advance(60)
    harness.send(event)
    other.steps(2)
    assert len(other.handler.got) == 1


def test_a_replay_is_handled_once_more_and_once_only(harness: ConsumerHarness) -> None:
    event = harness.send()
    harness.steps(2)
    for _ in range(2):
        harness.send(event, replay="after-the-outage")

    harness.steps(4)

    assert [received.replay for received in harness.handler.got] == [None, "after-the-outage"]


def test_two_consumers_with_duplicates_in_flight_do_not_both_handle(harness: ConsumerHarness) -> None:
    event = harness.send()
    harness.send(event)
    other = harness.another()
    harness.receive()
    other.steps(2)
    assert other.handler.got == []

    harness.steps()
    other.wait(1)

    assert (len(harness.handler.got), len(other.handler.got)) == (1, 0)
    assert harness.queue.bodies() == []
    assert other.figures() == {"duplicates": 1}


def test_a_blocked_event_is_handled_when_the_other_consumer_fails(harness: ConsumerHarness) -> None:
    event = harness.send()
    harness.send(event)
    other = harness.another()
    harness.handler.fails = "the shop is closed"
    harness.receive()
    other.steps()
    harness.steps()

    other.wait(1)
    other.steps()

    assert other.handler.events == [event]


def test_a_blocked_event_is_handled_when_the_lease_of_a_dead_consumer_expires(
    harness: ConsumerHarness,
) -> None:
    event = harness.send()
    harness.send(event)
    dies, lives = harness, harness.another()
    dies.receive()
    lives.steps()

    lives.wait(lives.options.visibility_timeout)
    assert not lives.in_flight.start(lives.clock())
    lives.wait(lives.options.lease_seconds)
    lives.steps()

    assert lives.handler.events == [event]


def test_a_reference_is_resolved_before_the_handler_gets_it(harness: ConsumerHarness) -> None:
    event = an_event(raw_transcript="um " * 1000)
    harness.send(BatchProcessingCompletedV2.referring(event, harness.payloads.store(event)))

    harness.steps(2)

    assert harness.handler.events == [event]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bucket": "foreign-bucket"}, "foreign-bucket"),
        ({"key": "nowhere"}, "nowhere"),
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"size": 3}, "more than 3 bytes"),
    ],
)
def test_a_reference_to_other_content_than_was_stored_is_a_failure(
    harness: ConsumerHarness, caplog: pytest.LogCaptureFixture, changes: dict[str, object], reason: str
) -> None:
    event = an_event()
    ref = harness.payloads.store(event).model_copy(update=changes)
    harness.send(BatchProcessingCompletedV2.referring(event, ref))

    for _ in range(3):
        harness.steps(2)
        harness.clock.advance(500)
    harness.steps()

    assert harness.handler.got == []
    assert reason in caplog.records[0].__dict__["error"]
    assert len(harness.dead.bodies()) == 1


def test_an_unavailable_payload_store_is_tried_again(
    harness: ConsumerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = an_event()
    harness.send(BatchProcessingCompletedV2.referring(event, harness.payloads.store(event)))

    with monkeypatch.context() as patch:
        patch.setattr(harness.payloads, "get", lambda _: failing_with(PayloadStoreError("SlowDown"))())
        harness.steps(2)
    harness.clock.advance(30)
    harness.steps(2)

    assert harness.handler.events == [event]


def test_a_young_test_event_is_left_to_its_verification(harness: ConsumerHarness) -> None:
    harness.queue.send(enveloped(route_test_event(A_MOMENT), resources=[TEST_EVENT_LABEL]))

    harness.steps()

    assert harness.queue.depth().waiting == 1
    (pause,) = harness.stop.waits
    assert 1 <= pause <= 10
    assert harness.handler.got == []
    assert harness.figures() == {"test_events": 1}


def test_a_left_over_test_event_is_deleted_and_not_dead_lettered(harness: ConsumerHarness) -> None:
    harness.queue.send(enveloped(route_test_event(A_MOMENT), resources=[TEST_EVENT_LABEL]))

    harness.steps(2)
    harness.clock.advance(timedelta(minutes=16).total_seconds())
    harness.steps()

    assert harness.queue.bodies() == []
    assert harness.dead.bodies() == []
    assert harness.handler.got == []


def test_a_real_event_with_the_label_of_a_test_is_not_deleted(harness: ConsumerHarness) -> None:
    body = enveloped(an_event(timestamp=A_MOMENT - timedelta(days=1)), resources=[TEST_EVENT_LABEL])
    harness.queue.send(body)

    for _ in range(5):
        harness.steps()
        harness.clock.advance(1000)

    assert harness.handler.got == []
    assert harness.dead.bodies() == [body]


def test_an_outage_of_the_queue_is_logged_once_and_waited_out(
    harness: ConsumerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    event = harness.send()
    harness.queue.before["receive"] = failing_with(InfrastructureError("the queue does not exist"))

    harness.steps(12)
    harness.queue.before.clear()
    harness.steps(2)

    assert harness.handler.events == [event]
    logged = [line.message for line in caplog.records]
    assert logged == ["consumer paused", "consumer resumed"]
    assert len(harness.stop.waits) == 12
    assert max(harness.stop.waits) > 15
    assert all(0 <= seconds <= 60 for seconds in harness.stop.waits)


def away(*_arguments: object, **_named: object) -> None:
    raise ProcessedEventsUnavailableError("the database is away")


def test_nothing_is_received_while_the_deduplication_store_is_unavailable(
    harness: ConsumerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = harness.send()

    with monkeypatch.context() as patch:
        for name in ("acquire", "prune"):
            patch.setattr(harness.memory, name, away)
        harness.steps(20)
        assert len(harness.queue.received) == 1
    harness.clock.advance(30)
    harness.steps(2)

    assert harness.handler.events == [event]
    assert harness.handler.got[0].receive_count == 2


def test_a_success_that_cannot_be_recorded_is_deleted_all_the_same(
    harness: ConsumerHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    harness.send()

    monkeypatch.setattr(harness.memory, "complete", away)
    harness.steps(2)

    assert harness.queue.bodies() == []
    assert (
        "event handled but not recorded as completed, a duplicate would be handled again" in caplog.messages
    )


def test_no_more_is_received_than_can_be_started_soon(harness: ConsumerHarness) -> None:
    harness.send_many(30)
    harness.handler.does = lambda _: harness.clock.advance(0.19)

    harness.steps(3)

    assert 1 < len(harness.in_flight) <= 2 / 0.19
    harness.handler.does = lambda _: harness.clock.advance(60)
    harness.steps(len(harness.in_flight) + 1)
    assert len(harness.in_flight) == 1


def test_several_receives_share_a_deduplication_call_while_the_queue_is_full_and_handlers_are_quick(
    harness: ConsumerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.send_many(1 + 25)
    harness.steps(2)
    key_counts: list[int] = []
    acquire = harness.memory.acquire

    def counted(
        keys: Sequence[EventKey], /, *, lease_seconds: float
    ) -> tuple[ProcessingLease | LeaseStatus, ...]:
        key_counts.append(len(keys))
        return acquire(keys, lease_seconds=lease_seconds)

    monkeypatch.setattr(harness.memory, "acquire", counted)
    harness.steps()

    assert key_counts == [len(harness.in_flight)]
    assert harness.queue.calls.count("receive") > 1 + len(key_counts)


def test_an_outage_between_two_receives_loses_nothing_of_the_first(harness: ConsumerHarness) -> None:
    harness.send_many(1 + 25)
    harness.steps(2)
    harness.queue.after["receive"] = lambda: harness.queue.before.update(
        receive=failing_with(InfrastructureError("the queue is away"))
    )

    harness.steps()

    received = len(harness.in_flight)
    assert received
    harness.steps(received + 1)
    assert len(harness.handler.got) == 1 + received
    assert harness.outage_log.is_on


def test_successes_are_acknowledged_together_while_the_queue_is_full(harness: ConsumerHarness) -> None:
    harness.send_many(250)

    while len(harness.handler.got) < 240:
        harness.steps()

    assert harness.queue.calls.count("delete") <= 240 / 20
    assert harness.figures()["handled"] >= 240 / 2


def test_no_success_waits_for_an_empty_queue(harness: ConsumerHarness) -> None:
    harness.send_many(11)
    harness.steps(2 + 11)
    before = harness.clock()

    harness.steps()

    assert harness.figures() == {"handled": 11}
    assert harness.clock() == before


def test_a_success_waits_only_for_a_moment_for_others(harness: ConsumerHarness) -> None:
    harness.send_many(11)
    harness.steps(2)
    harness.handler.does = lambda _: harness.clock.advance(0.3)

    harness.steps(1 + 2)

    assert harness.figures()["handled"] > 1


def test_a_success_does_not_wait_for_slow_events_that_follow(harness: ConsumerHarness) -> None:
    harness.send_many(5)
    harness.steps(2)
    harness.steps(2)

    def slow(_: object) -> None:
        harness.wait(2)
        assert harness.figures() == {"handled": 2}

    harness.handler.does = slow
    harness.steps()


def test_a_run_ends_after_max_messages() -> None:
    harness = ConsumerHarness(replace(OPTIONS, max_messages=3))
    harness.send(harness.send())
    harness.send_many(3)

    harness.loop.run()

    assert len(harness.handler.got) == 3
    assert harness.figures() == {"handled": 3, "duplicates": 1}
    assert harness.queue.depth().waiting == 1


def test_a_draining_run_ends_when_the_queue_is_empty() -> None:
    harness = ConsumerHarness(ConsumerOptions(threads=1, drain=True))
    events = harness.send_many(25)

    harness.loop.run()

    assert harness.handler.events == events
    assert harness.queue.bodies() == []


def test_a_draining_run_does_not_end_while_another_thread_has_an_event_in_flight() -> None:
    harness = ConsumerHarness(ConsumerOptions(threads=2, drain=True, retry_delay=0))
    harness.send()
    harness.steps()
    other_thread = harness.another_thread()
    harness.handler.does = lambda _: other_thread.step()
    harness.handler.fails = "the shop is closed"

    harness.loop.run()

    assert len(harness.handler.got) == 3
    assert len(harness.dead.bodies()) == 1


def test_a_message_that_arrives_after_the_stop_is_released(harness: ConsumerHarness) -> None:
    harness.send()
    harness.queue.after["receive"] = harness.stop.set

    harness.loop.run()

    assert harness.handler.got == []
    assert harness.queue.depth().waiting == 1


def test_a_running_handler_finishes_and_no_other_starts_after_the_stop(harness: ConsumerHarness) -> None:
    harness.send_many(5)
    harness.steps(3)
    harness.handler.does = lambda _: harness.stop.set()

    harness.loop.run()

    assert len(harness.handler.got) == 2
    assert len(harness.in_flight.take_waiting()) == 5 - len(harness.handler.got)


def test_an_unexpected_error_of_the_consumer_ends_nothing(
    harness: ConsumerHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    event = harness.send()
    with monkeypatch.context() as patch:
        patch.setattr(harness.receiver, "receive", lambda *_, **__: 1 / 0)
        harness.steps(2)
    harness.steps(2)

    assert harness.handler.events == [event]
    assert "unexpected error in a consumer thread, tried again after a delay" in caplog.messages


def test_a_consumer_of_failed_events_handles_them_once_beside_the_completion_of_the_same_recording() -> None:
    harness = ConsumerHarness(kind=EventKind.FAILED)
    failure = a_failure()
    completion = EventKey("BatchProcessingCompleted", failure.interaction_id)
    harness.memory.acquire([completion], lease_seconds=60)
    harness.send(failure)
    harness.send(failure)

    harness.steps(3)

    assert harness.handler.events == [failure]
    assert harness.figures() == {"handled": 1, "duplicates": 1}


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        (EventKind.COMPLETED, a_failure()),
        (EventKind.COMPLETED, an_erasure()),
        (EventKind.FAILED, an_event()),
        (EventKind.ERASED, an_event()),
    ],
    ids=["completed-failure", "completed-erasure", "failed", "erased"],
)
def test_an_event_of_the_other_kind_is_left_to_the_dead_letter_queue_with_its_type(
    kind: EventKind, event: SentEvent, caplog: pytest.LogCaptureFixture
) -> None:
    harness = ConsumerHarness(kind=kind)
    harness.send(event)

    harness.steps()

    assert harness.handler.got == []
    assert harness.figures() == {"unreadable": 1}
    assert any(
        f"its detail-type is '{event.DETAIL_TYPE}', not '{kind.detail_type}'" in str(record.__dict__)
        for record in caplog.records
    )
