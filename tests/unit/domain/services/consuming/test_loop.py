"""What becomes of a message, whatever is in it and whatever its handler does."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from adapters.in_memory import InMemoryPayloadStore
from domain.model.consuming.lease import EventKey, LeaseStatus, ProcessingLease
from domain.model.errors import InfrastructureError, PayloadStoreError, ProcessedEventsUnavailableError
from domain.model.events.envelope import EventEnvelope, parse_envelope
from domain.model.events.event import TEST_EVENT_LABEL, BatchProcessingCompletedV2, TranscriptRef
from domain.model.route.route import route_test_event
from domain.services.consuming import receiver as intake
from domain.services.consuming.loop import TEST_PAUSE_SECONDS, Hand
from domain.services.consuming.workplace import ConsumerOptions
from tests.support.doubles.queue import failing_with
from tests.support.harness.consumer import OPTIONS, ConsumerHarness
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import A_MOMENT, an_event

SECRET = "nobody may read this in a log"


@pytest.fixture
def shop() -> ConsumerHarness:
    return ConsumerHarness()


def test_an_event_is_handled_remembered_and_deleted(shop: ConsumerHarness) -> None:
    event = shop.send()

    shop.steps(2)

    (received,) = shop.handler.got
    assert (received.event, received.replay, received.receive_count) == (event, None, 1)
    assert received.sent_at
    assert shop.queue.bodies() == []
    assert shop.tally() == {"handled": 1}


def test_the_message_is_deleted_after_the_event_is_remembered(shop: ConsumerHarness) -> None:
    shop.send()
    shop.queue.before["delete"] = failing_with(InfrastructureError("away"))

    shop.steps(2)
    shop.queue.before.clear()
    shop.wait(31)
    shop.steps(2)

    assert len(shop.handler.got) == 1
    assert shop.tally() == {"handled": 1, "duplicates": 1}
    assert shop.queue.bodies() == []


def test_while_a_handler_works_the_message_is_neither_deleted_nor_visible(shop: ConsumerHarness) -> None:
    shop.send()
    seen: list[object] = []
    shop.handler.does = lambda _: seen.append(shop.queue.depth())

    shop.steps(2)

    assert seen == [(0, 1)]


def test_a_failure_brings_it_back_after_a_growing_pause_and_the_third_dead_letters_it(
    shop: ConsumerHarness,
) -> None:
    shop.send()
    shop.handler.fails = "the shop is closed"

    pauses = []
    for _ in range(3):
        shop.steps(2)
        failed_at = shop.clock()
        while not shop.queue.depth().waiting:
            shop.clock.advance(1)
        pauses.append(shop.clock() - failed_at)
    shop.steps()

    assert [received.receive_count for received in shop.handler.got] == [1, 2, 3]
    for pause, longest in zip(pauses, (30, 120, 480), strict=True):
        assert longest / 2 <= pause <= longest
    assert shop.tally() == {"failed": 3, "failed_events": 1, "unhandled_events": 1}
    assert len(shop.dead.bodies()) == 1
    assert "delete" not in shop.queue.calls


def test_a_failure_is_told_with_message_event_and_reason(
    shop: ConsumerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    event = shop.send(an_event(raw_transcript=SECRET))
    shop.handler.fails = "the shop is closed"

    shop.steps(2)

    (line,) = caplog.records
    assert line.__dict__["error"] == "the shop is closed"
    assert line.__dict__["interaction_id"] == str(event.interaction_id)
    assert line.__dict__["message_id"]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("error", [ValueError(SECRET), SystemExit(3), KeyboardInterrupt(SECRET)])
def test_whatever_a_handler_raises_is_a_failure_told_by_its_type(
    shop: ConsumerHarness, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    shop.send()
    shop.handler.does = lambda _: failing_with(error)()

    shop.steps(2)

    assert shop.tally() == {"failed": 1, "failed_events": 1, "unhandled_events": 1}
    assert type(error).__name__ in caplog.records[0].__dict__["error"]
    assert SECRET not in caplog.text


def test_what_failed_may_be_handled_by_another_consumer_at_its_next_receive(shop: ConsumerHarness) -> None:
    shop.send()
    shop.handler.fails = "the shop is closed"
    shop.steps(2)
    shop.clock.advance(30)
    other = shop.another()

    other.steps(2)

    assert len(other.handler.got) == 1
    assert shop.queue.bodies() == []


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
def test_what_cannot_be_read_is_never_handled_and_never_deleted_and_becomes_a_dead_letter(
    shop: ConsumerHarness, caplog: pytest.LogCaptureFixture, body: str, reason: str
) -> None:
    message_id = shop.queue.send(body)

    for _ in range(4):
        shop.steps()
        shop.clock.advance(500)

    assert shop.handler.got == []
    assert shop.dead.bodies() == [body]
    assert "delete" not in shop.queue.calls
    assert shop.tally() == {"unreadable": 3}
    assert [line.__dict__["message_id"] for line in caplog.records] == [message_id] * 3
    assert reason in caplog.records[0].__dict__["error"]
    assert SECRET not in caplog.text


def test_a_defect_in_reading_costs_its_message_alone_a_receive(
    shop: ConsumerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(body: str, source: str) -> EventEnvelope:
        if body == "poison":
            raise OverflowError(SECRET)
        return parse_envelope(body, source)

    monkeypatch.setattr(intake, "parse_envelope", read)
    shop.send()
    shop.steps(2)  # its pace is known
    shop.queue.send("poison")
    event = shop.send()

    shop.steps(2)

    assert shop.handler.events[1:] == [event]
    assert shop.tally() == {"handled": 2, "unreadable": 1}


def test_what_cannot_be_read_does_not_keep_what_can(shop: ConsumerHarness) -> None:
    shop.send()
    shop.steps(2)  # its pace is known
    shop.queue.send("not json")
    event = shop.send()

    shop.steps(2)

    assert shop.handler.events[1:] == [event]


def test_a_duplicate_is_skipped_and_deleted(shop: ConsumerHarness) -> None:
    event = shop.send()
    shop.steps(2)
    shop.send(event)

    shop.steps(2)

    assert len(shop.handler.got) == 1
    assert shop.queue.bodies() == []
    assert shop.tally() == {"handled": 1, "duplicates": 1}


def test_a_duplicate_is_recognised_by_another_consumer_for_28_days(shop: ConsumerHarness) -> None:
    event = shop.send()
    shop.steps(2)
    other = shop.another()
    shop.clock.advance(28 * 86_400 - 60)
    shop.send(event)

    other.steps(2)
    assert other.handler.got == []

    shop.clock.advance(60)
    shop.send(event)
    other.steps(2)
    assert len(other.handler.got) == 1


def test_a_replay_is_handled_once_more_and_once_only(shop: ConsumerHarness) -> None:
    event = shop.send()
    shop.steps(2)
    for _ in range(2):
        shop.send(event, replay="after-the-outage")

    shop.steps(4)

    assert [received.replay for received in shop.handler.got] == [None, "after-the-outage"]


def test_two_who_hold_duplicates_at_once_do_not_both_handle(shop: ConsumerHarness) -> None:
    event = shop.send()
    shop.send(event)
    other = shop.another()
    shop.receive()
    other.steps(2)
    assert other.handler.got == []

    shop.steps()
    other.wait(1)

    assert (len(shop.handler.got), len(other.handler.got)) == (1, 0)
    assert shop.queue.bodies() == []
    assert other.tally() == {"duplicates": 1}


def test_who_waits_for_another_that_fails_handles_it(shop: ConsumerHarness) -> None:
    event = shop.send()
    shop.send(event)
    other = shop.another()
    shop.handler.fails = "the shop is closed"
    shop.receive()
    other.steps()
    shop.steps()

    other.wait(1)
    other.steps()

    assert other.handler.events == [event]


def test_who_waits_for_another_that_died_handles_it_when_its_lease_is_over(shop: ConsumerHarness) -> None:
    event = shop.send()
    shop.send(event)
    dies, lives = shop, shop.another()
    dies.receive()
    lives.steps()

    lives.wait(59)
    assert not lives.place.in_hand.start(lives.clock())
    lives.wait(2)
    lives.steps()

    assert lives.handler.events == [event]


def test_a_reference_is_resolved_before_the_handler_gets_it(shop: ConsumerHarness) -> None:
    event = an_event(raw_transcript="um " * 1000)
    shop.send(BatchProcessingCompletedV2.referring(event, shop.payloads.store(event)))

    shop.steps(2)

    assert shop.handler.events == [event]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bucket": "somebody-elses"}, "somebody-elses"),
        ({"key": "nowhere"}, "nowhere"),
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"size": 3}, "more than 3 bytes"),
    ],
)
def test_a_reference_that_does_not_lead_to_what_was_stored_is_a_failure(
    shop: ConsumerHarness, caplog: pytest.LogCaptureFixture, changes: dict[str, object], reason: str
) -> None:
    event = an_event()
    ref = shop.payloads.store(event).model_copy(update=changes)
    shop.send(BatchProcessingCompletedV2.referring(event, ref))

    for _ in range(3):
        shop.steps(2)
        shop.clock.advance(500)
    shop.steps()

    assert shop.handler.got == []
    assert reason in caplog.records[0].__dict__["error"]
    assert len(shop.dead.bodies()) == 1


def test_a_store_of_payloads_that_is_away_is_tried_again(
    shop: ConsumerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = an_event()
    shop.send(BatchProcessingCompletedV2.referring(event, shop.payloads.store(event)))

    def away(_self: InMemoryPayloadStore, _ref: TranscriptRef, /) -> bytes:
        raise PayloadStoreError("SlowDown")

    with monkeypatch.context() as patch:
        patch.setattr(InMemoryPayloadStore, "get", away)
        shop.steps(2)
    shop.clock.advance(30)
    shop.steps(2)

    assert shop.handler.events == [event]


def test_a_young_test_event_is_left_to_whoever_looks_for_it(shop: ConsumerHarness) -> None:
    body = enveloped(route_test_event(A_MOMENT), resources=[TEST_EVENT_LABEL])
    shop.queue.send(body)

    shop.steps()

    assert shop.queue.depth().waiting == 1
    assert shop.stop.waits == [TEST_PAUSE_SECONDS]
    assert shop.handler.got == []
    assert shop.tally() == {"test_events": 1}


def test_a_test_event_that_nobody_finds_is_deleted_and_no_dead_letter(shop: ConsumerHarness) -> None:
    shop.queue.send(enveloped(route_test_event(A_MOMENT), resources=[TEST_EVENT_LABEL]))

    shop.steps(2)
    shop.clock.advance(timedelta(minutes=16).total_seconds())
    shop.steps()

    assert shop.queue.bodies() == []
    assert shop.dead.bodies() == []
    assert shop.handler.got == []


def test_a_real_event_with_the_label_of_a_test_is_not_deleted(shop: ConsumerHarness) -> None:
    body = enveloped(an_event(timestamp=A_MOMENT - timedelta(days=1)), resources=[TEST_EVENT_LABEL])
    shop.queue.send(body)

    for _ in range(5):
        shop.steps()
        shop.clock.advance(1000)

    assert shop.handler.got == []
    assert shop.dead.bodies() == [body]


def test_a_queue_that_goes_and_comes_back_is_told_once_each_and_waited_for(
    shop: ConsumerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    event = shop.send()
    shop.queue.before["receive"] = failing_with(InfrastructureError("the queue does not exist"))

    shop.steps(12)
    shop.queue.before.clear()
    shop.steps(2)

    assert shop.handler.events == [event]
    told = [line.message for line in caplog.records]
    assert told == ["the consumer pauses", "the consumer goes on"]
    assert len(shop.stop.waits) == 12
    assert max(shop.stop.waits) > 15
    assert all(0 <= seconds <= 60 for seconds in shop.stop.waits)


def test_while_the_memory_is_away_nothing_is_received_for_nothing(
    shop: ConsumerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = shop.send()

    def away(*_arguments: object, **_named: object) -> None:
        raise ProcessedEventsUnavailableError("the database is away")

    with monkeypatch.context() as patch:
        for name in ("acquire", "prune"):
            patch.setattr(shop.memory, name, away)
        shop.steps(20)
        assert len(shop.queue.received) == 1
    shop.clock.advance(30)
    shop.steps(2)

    assert shop.handler.events == [event]
    assert shop.handler.got[0].receive_count == 2


def test_a_success_that_cannot_be_remembered_is_deleted_all_the_same(
    shop: ConsumerHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shop.send()

    def away(*_arguments: object, **_named: object) -> None:
        raise ProcessedEventsUnavailableError("the database is away")

    monkeypatch.setattr(shop.memory, "complete", away)
    shop.steps(2)

    assert shop.queue.bodies() == []
    assert "handled, but not remembered: a duplicate would be handled again" in caplog.messages


def test_no_more_is_received_than_can_be_started_soon() -> None:
    shop = ConsumerHarness()
    for _ in range(30):
        shop.send()
    shop.handler.does = lambda _: shop.clock.advance(0.19)

    shop.steps(1)
    assert len(shop.place.in_hand) == 1
    shop.steps(2)

    assert len(shop.place.in_hand) == 5
    shop.handler.does = lambda _: shop.clock.advance(60)
    shop.steps(6)
    assert len(shop.place.in_hand) == 1


def test_while_the_queue_is_full_and_handlers_are_quick_several_receives_share_a_look_into_the_memory(
    shop: ConsumerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(1 + 25):
        shop.send()
    shop.steps(2)
    looks: list[int] = []
    acquire = shop.memory.acquire

    def counted(
        keys: Sequence[EventKey], /, *, lease_seconds: float
    ) -> tuple[ProcessingLease | LeaseStatus, ...]:
        looks.append(len(keys))
        return acquire(keys, lease_seconds=lease_seconds)

    monkeypatch.setattr(shop.memory, "acquire", counted)
    shop.steps()

    assert looks == [25]
    assert shop.queue.calls.count("receive") == 1 + 3


def test_a_queue_that_goes_away_between_two_receives_takes_nothing_of_the_first_with_it(
    shop: ConsumerHarness,
) -> None:
    for _ in range(1 + 25):
        shop.send()
    shop.steps(2)
    shop.queue.after["receive"] = lambda: shop.queue.before.update(
        receive=failing_with(InfrastructureError("the queue is away"))
    )

    shop.steps()

    assert len(shop.place.in_hand) == 10
    shop.steps(10 + 1)
    assert len(shop.handler.got) == 11
    assert shop.place.trouble.is_on


def test_while_the_queue_is_full_successes_are_settled_together(shop: ConsumerHarness) -> None:
    for _ in range(250):
        shop.send()

    shop.steps(2 + 22 * 11)

    deletions = shop.queue.calls.count("delete")
    assert deletions == 3
    assert shop.tally() == {"handled": 201}


def test_no_success_waits_for_a_queue_that_has_no_more(shop: ConsumerHarness) -> None:
    for _ in range(11):
        shop.send()
    shop.steps(2 + 11)
    assert shop.tally() == {"handled": 1}
    before = shop.clock()

    shop.steps()

    assert shop.tally() == {"handled": 11}
    assert shop.clock() == before


def test_a_success_waits_for_others_for_a_tenth_of_a_second_at_most(shop: ConsumerHarness) -> None:
    for _ in range(11):
        shop.send()
    shop.steps(2)
    shop.handler.does = lambda _: shop.clock.advance(0.03)

    shop.steps(1 + 5)

    assert shop.tally() == {"handled": 6}


def test_a_success_does_not_wait_for_slow_events_that_follow(shop: ConsumerHarness) -> None:
    for _ in range(5):
        shop.send()
    shop.steps(2)
    shop.steps(2)

    def slow(_: object) -> None:
        shop.wait(2)
        assert shop.tally() == {"handled": 2}

    shop.handler.does = slow
    shop.steps()


def test_after_so_many_events_it_ends() -> None:
    shop = ConsumerHarness(replace(OPTIONS, max_messages=3))
    duplicate = shop.send()
    for event in (duplicate, an_event(), an_event(), an_event()):
        shop.send(event)

    shop.crew.work()

    assert len(shop.handler.got) == 3
    assert shop.tally() == {"handled": 3, "duplicates": 1}
    assert shop.queue.depth().waiting == 1


def test_it_ends_when_the_queue_is_empty() -> None:
    shop = ConsumerHarness(ConsumerOptions(threads=1, drain=True))
    events = [shop.send() for _ in range(25)]

    shop.crew.work()

    assert shop.handler.events == events
    assert shop.queue.bodies() == []


def test_it_does_not_end_while_another_thread_has_an_event_that_may_come_back() -> None:
    shop = ConsumerHarness(ConsumerOptions(threads=2, drain=True, pause_seconds=0))
    shop.send()
    shop.steps()
    meanwhile = Hand()
    shop.handler.does = lambda _: shop.crew.step(meanwhile)
    shop.handler.fails = "the shop is closed"

    shop.crew.work()

    assert len(shop.handler.got) == 3
    assert len(shop.dead.bodies()) == 1


def test_what_comes_while_it_is_told_to_stop_is_released(shop: ConsumerHarness) -> None:
    shop.send()
    shop.queue.after["receive"] = shop.stop.set

    shop.crew.work()

    assert shop.handler.got == []
    assert shop.queue.depth().waiting == 1


def test_what_is_in_hand_is_finished_and_nothing_else_is_begun_once_it_is_told_to_stop(
    shop: ConsumerHarness,
) -> None:
    for _ in range(5):
        shop.send()
    shop.steps(3)
    shop.handler.does = lambda _: shop.stop.set()

    shop.crew.work()

    assert len(shop.handler.got) == 2
    assert len(shop.place.in_hand.take_waiting()) == 3


def test_a_defect_of_the_consumer_itself_ends_nothing(
    shop: ConsumerHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    event = shop.send()
    with monkeypatch.context() as patch:
        patch.setattr(shop.intake, "receive", lambda *_, **__: 1 / 0)
        shop.steps(2)
    shop.steps(2)

    assert shop.handler.events == [event]
    assert "the consumer broke down" in caplog.messages


def test_an_event_of_a_stranger_interaction_is_no_duplicate(shop: ConsumerHarness) -> None:
    events = [shop.send(an_event(interaction_id=uuid4())) for _ in range(3)]

    shop.steps(8)

    assert shop.handler.events == events
