import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, pairwise, repeat
from uuid import UUID

import pytest

from domain.model.clock import utc_now
from domain.model.errors import (
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventRejectedError,
    EventTooLargeError,
)
from domain.model.events.event import BatchProcessingCompleted
from domain.model.events.sent import SentEvent
from domain.model.outbox import OutboxState, Published
from domain.model.route.route import Finding, RouteComponent
from domain.services.relay.dispatcher import CALL_CHARACTERS, BatchDispatcher
from domain.services.relay.pacing import LEASE_CHARACTERS, PauseCause
from domain.services.relay.relay import IDLE_SECONDS, POLL_SECONDS, Relay, RelayStatus
from domain.services.relay.route_guard import RouteGuard
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import MAX_BATCH, PublishOutcome
from tests.support.doubles.delivery import (
    ACCEPTED,
    AnsweringEventPublisher,
    FaultyOutbox,
    HeldUpEventPublisher,
    SimulatedTime,
    seeded,
)
from tests.support.harness.relay import RelayAtWork
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.slow

AWAY = EventBusUnavailableError("the bus is away")
DENIED = EventBusRefusesUsError("EventBridge refuses every event: AccessDeniedException")


def ids(events: Sequence[SentEvent]) -> list[UUID]:
    return [event.interaction_id for event in events]


def characters(events: Sequence[SentEvent]) -> int:
    return sum(event.data.characters for event in events if isinstance(event, BatchProcessingCompleted))


def slowly(clock: SimulatedTime, seconds: float) -> Callable[[SentEvent], PublishOutcome]:
    """Accept each event after a time."""

    def accept(_event: SentEvent) -> PublishOutcome:
        clock.at += seconds
        return ACCEPTED

    return accept


# A bus that accepts every event


def test_every_event_is_published_once_and_recorded_with_its_receipt() -> None:
    bus = AnsweringEventPublisher()
    here = RelayAtWork(bus)
    events = here.add(1234)

    here.work()

    assert sorted(bus.accepted_ids) == sorted(ids(events))
    assert here.ids(OutboxState.PUBLISHED) == set(ids(events))
    record = here.record(events[0].interaction_id)
    assert (record.event_id, record.event, record.attempts) == ("event-1", None, 0)


def test_calls_and_records_hold_as_many_events_as_they_may() -> None:
    bus = AnsweringEventPublisher()
    here = RelayAtWork(bus)
    here.add(295)

    here.work()

    assert max(map(len, bus.calls)) <= MAX_BATCH
    assert len(bus.calls) <= 35  # thirty at least
    assert len(here.outbox.recorded) <= 5


def test_a_call_holds_no_more_text_than_the_bus_takes_with_one() -> None:
    bus = AnsweringEventPublisher()
    here = RelayAtWork(bus)
    for _ in range(20):
        here.outbox.add(an_event(raw_transcript="x" * 100_000, cleaned_transcript="y" * 100_000))
    huge = an_event(raw_transcript="x" * 3_000_000)
    here.outbox.add(huge)

    here.work()

    assert all(characters(call) <= CALL_CHARACTERS for call in bus.calls if len(call) > 1)
    assert len(bus.calls) <= 12  # six at least


def test_several_calls_are_in_flight_at_once() -> None:
    together = threading.Barrier(4)

    def answer_together(_event: SentEvent) -> PublishOutcome:
        together.wait(60)
        return ACCEPTED

    here = RelayAtWork(AnsweringEventPublisher(answer_together), threads=4)
    here.add(40)  # four calls of ten; each event waits for one of each other call

    here.work()

    assert here.outbox.counts().published == 40


def test_the_next_batch_is_in_flight_before_the_one_before_it_is_over() -> None:
    together = threading.Barrier(2)

    def answer_together(_event: SentEvent) -> PublishOutcome:
        if here.outbox.counts().published:
            together.wait(60)
        return ACCEPTED

    here = RelayAtWork(AnsweringEventPublisher(answer_together), batch=10)
    here.add(50)  # the first ten show that all is well; then the events of two batches wait for each other

    here.work()

    assert here.outbox.counts().published == 50


def test_more_batches_are_in_flight_where_texts_are_long() -> None:
    many, sending, in_time = threading.Event(), list[SentEvent](), list[bool]()

    def answer_once_many_are_in_flight(event: SentEvent) -> PublishOutcome:
        if here.outbox.counts().published:  # the first batch shows how long the texts are
            sending.append(event)
            if len(sending) > 2 * MAX_BATCH:
                many.set()
            in_time.append(many.wait(10))
        return ACCEPTED

    here = RelayAtWork(AnsweringEventPublisher(answer_once_many_are_in_flight), threads=40)
    for _ in range(90):
        here.outbox.add(an_event(raw_transcript="x" * 700_000))

    here.work()

    assert in_time
    assert all(in_time)
    assert here.outbox.counts().published == 90


def test_batches_that_are_partly_refused_follow_one_after_the_other() -> None:
    bus = AnsweringEventPublisher(lambda event: AWAY if event.interaction_id in refused else ACCEPTED)
    here = RelayAtWork(bus, batch=10)
    refused = set(ids(here.add(40)[::10]))  # one in ten

    for batches in range(1, 4):
        here.relay.step()
        assert len(bus.calls) == batches
        assert here.outbox.counts().published == batches * 9


def test_long_transcripts_are_leased_a_few_at_a_time() -> None:
    here = RelayAtWork(AnsweringEventPublisher())
    text = "word " * 80_000
    for _ in range(200):
        here.outbox.add(an_event(raw_transcript=text, cleaned_transcript=text))

    here.work()

    first, *others = [[lease.event for lease in leases] for leases in here.outbox.leased if leases]
    assert len(first) <= 100  # nothing is known of their length yet
    assert all(characters(events) <= 2 * LEASE_CHARACTERS for events in others)
    assert len(others) <= 20


def test_a_relay_without_work_waits_until_something_is_due() -> None:
    here = RelayAtWork(AnsweringEventPublisher())
    assert here.relay.step() == POLL_SECONDS

    here.outbox.add(an_event(), lease_seconds=0.25)
    assert here.relay.step() == pytest.approx(0.25)


# Events that fail


def test_a_lease_of_nothing_although_something_is_due_is_no_hot_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    work = RelayAtWork(AnsweringEventPublisher())
    work.add()
    monkeypatch.setattr(work.outbox, "lease_due", lambda *_, **__: ())  # another relay is leasing it

    assert work.outbox.seconds_until_due() == 0
    assert work.relay.step() >= IDLE_SECONDS


def test_an_event_that_is_wrong_is_parked_with_its_reason_and_no_other_with_it() -> None:
    bus = AnsweringEventPublisher(
        lambda event: EventRejectedError("MalformedDetail") if event.interaction_id in poison else ACCEPTED
    )
    here = RelayAtWork(bus)
    events = here.add(2000)
    poison = {events[7].interaction_id, events[1500].interaction_id}

    here.work()

    assert here.ids(OutboxState.REJECTED) == poison
    assert here.outbox.counts().published == 1998
    record = here.record(events[7].interaction_id)
    assert (record.reason, record.event) == ("MalformedDetail", events[7])


def test_what_is_rejected_leaves_again_once_it_is_retried() -> None:
    bus = AnsweringEventPublisher(lambda _: EventTooLargeError("set PAYLOAD_BUCKET and retry it"))
    here = RelayAtWork(bus)
    events = here.add(3)
    here.work()
    assert here.outbox.counts().rejected == 3

    bus.answer = lambda _: ACCEPTED
    here.work(10)
    assert bus.accepted == []
    here.outbox.retry()
    here.work()

    assert sorted(bus.accepted_ids) == sorted(ids(events))


def test_an_event_that_fails_for_ever_is_tried_for_ever_with_growing_delays_up_to_a_minute() -> None:
    bus = AnsweringEventPublisher()
    here = RelayAtWork(bus)
    (unlucky,) = here.add()
    tried: list[float] = []

    def answer(event: SentEvent) -> PublishOutcome:
        if event.interaction_id != unlucky.interaction_id:
            return ACCEPTED
        tried.append(here.clock.at)
        return AWAY

    bus.answer = answer
    here.work(24 * 3600)

    gaps = [later - earlier for earlier, later in pairwise(tried)]
    assert len(tried) > 24 * 30
    assert max(gaps) <= 120  # its own delay and the pause of the relay
    assert sum(gaps[:3]) < 15
    assert here.record(unlucky.interaction_id).state is OutboxState.WAITING


def test_old_events_that_fail_do_not_starve_new_ones() -> None:
    bus = AnsweringEventPublisher(lambda event: AWAY if event.interaction_id in old else ACCEPTED)
    here = RelayAtWork(bus)
    old = set(ids(here.add(200)))
    for _ in range(50):
        here.step()

    for _ in range(20):
        (new,) = here.add()
        added_at = here.clock.at
        while new.interaction_id not in bus.accepted_ids:
            here.step()
        assert here.clock.at - added_at <= 180
    assert here.outbox.counts().waiting == 200


def test_a_defect_of_the_transport_ends_neither_the_relay_nor_an_event() -> None:
    bus = AnsweringEventPublisher()
    here = RelayAtWork(bus)
    here.add(30)

    def defect(_event: SentEvent) -> PublishOutcome:
        raise ZeroDivisionError

    bus.answer = defect
    here.work(60)
    assert here.outbox.counts().waiting == 30
    bus.answer = lambda _: ACCEPTED
    here.work()

    assert here.outbox.counts().published == 30


# A bus that fails


def test_a_bus_that_is_away_is_asked_seldom_and_gets_everything_when_it_is_back() -> None:
    bus = AnsweringEventPublisher(lambda _: AWAY)
    here = RelayAtWork(bus)
    events = here.add(10_000)

    calls = []
    for _minute in range(60):
        before = len(bus.calls)
        here.work(60)
        calls.append(len(bus.calls) - before)
    assert calls[0] <= 30
    assert max(calls[2:]) <= 10
    assert here.relay.status().paused == "the bus is away"
    assert here.relay.paused_by is PauseCause.BUS
    assert here.breaker.is_open
    attempts = [record.attempts for record in here.outbox.records(limit=10_000)]
    assert sum(attempts) == sum(map(len, bus.calls))
    assert max(attempts) <= 10

    bus.answer = lambda _: ACCEPTED
    here.work()
    assert set(bus.accepted_ids) == set(ids(events))
    assert here.relay.status().paused is None
    assert here.relay.paused_by is None
    assert not here.breaker.is_open


def test_where_we_are_refused_one_call_is_enough_and_no_event_counts_it() -> None:
    bus = AnsweringEventPublisher(lambda _: DENIED)
    here = RelayAtWork(bus, threads=1)
    here.add(500)

    here.step()

    assert len(bus.calls) == 1
    assert here.breaker.reason == str(DENIED)
    assert {record.attempts for record in here.outbox.records(limit=500)} == {0}
    assert here.outbox.counts().waiting == 500


def test_a_state_is_logged_when_it_changes_and_not_each_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bus = AnsweringEventPublisher(lambda _: DENIED)
    here = RelayAtWork(bus)
    here.add(10)
    here.work(3600)
    bus.answer = lambda _: ACCEPTED
    here.work()

    lines = Counter((record.levelname, record.message) for record in caplog.records)
    assert lines == {
        ("ERROR", "relay paused"): 1,
        ("INFO", "relay resumed"): 1,
        ("INFO", "event published"): 10,
    }


@pytest.mark.parametrize(("share", "within_seconds"), [(0.3, 300), (0.9, 3600)])
def test_entries_that_fail_now_and_then_cost_no_hot_loop_no_stand_still_and_no_duplicate(
    share: float, within_seconds: float
) -> None:
    chance = seeded()
    bus = AnsweringEventPublisher(lambda _: AWAY if chance.random() < share else ACCEPTED)
    here = RelayAtWork(bus, threads=1)
    events = here.add(3000)

    calls = []
    while here.outbox.counts().waiting:
        before = len(bus.calls)
        here.work(60)
        calls.append(len(bus.calls) - before)

    assert set(bus.accepted_ids) == set(ids(events))
    assert Counter(bus.accepted_ids).most_common(1)[0][1] == 1
    assert max(calls) <= 2500
    assert here.clock.at - 1_000_000 < within_seconds


@pytest.mark.parametrize(("seconds_each", "stays_open"), [(0, False), (3, True)])
def test_a_breaker_that_callers_opened_is_closed_by_the_relay_unless_the_bus_is_too_slow_for_callers(
    seconds_each: float, *, stays_open: bool
) -> None:
    bus = AnsweringEventPublisher()
    here = RelayAtWork(bus, threads=1)
    here.breaker.trip("the bus did not answer within 2 s")
    bus.answer = slowly(here.clock, seconds_each)
    here.add(3)

    here.work()

    assert here.outbox.counts().published == 3
    assert here.breaker.is_open is stays_open


# A route that is broken


def test_events_are_held_back_while_the_bus_would_drop_them() -> None:
    findings = [
        Finding(RouteComponent.RULE, "the rule does not exist", "it was looked for", "transcripts provision")
    ]
    clock, breaker, bus = SimulatedTime(), CircuitBreaker(), AnsweringEventPublisher()
    route = RouteGuard([lambda: findings], breaker, clock=clock)
    here = RelayAtWork(bus, clock=clock, breaker=breaker, route=route)
    events = here.add(20)

    here.work(300)
    assert bus.calls == []
    assert here.outbox.leased == []
    assert here.relay.status().paused == "the rule does not exist"
    assert here.relay.paused_by is PauseCause.ROUTE
    assert [finding.component for finding in route.broken] == [RouteComponent.RULE]

    findings.clear()
    here.work(15)
    assert sorted(bus.accepted_ids) == sorted(ids(events))
    assert here.relay.status().paused is None
    assert here.relay.paused_by is None
    assert route.broken == ()


# An outbox that fails


@pytest.mark.parametrize("method", ["lease_due", "record"])
def test_an_outbox_that_fails_is_asked_seldom_and_goes_on_by_itself(method: str) -> None:
    here = RelayAtWork(AnsweringEventPublisher())
    events = here.add(100)
    here.outbox.failing = {method}

    here.work(600)
    assert here.steps <= 50
    assert here.relay.status().paused == "outbox unavailable: the disk is full"
    assert here.relay.paused_by is PauseCause.OUTBOX

    here.outbox.failing = set()
    here.work()
    assert here.ids(OutboxState.PUBLISHED) == set(ids(events))
    assert here.relay.status().paused is None


def test_what_cannot_be_recorded_stops_the_publishing_and_is_sent_no_second_time() -> None:
    bus = AnsweringEventPublisher()
    here = RelayAtWork(bus, batch=100)
    events = here.add(1000)
    here.outbox.failing = {"record"}

    here.work(3600)
    assert len(bus.accepted) <= 200  # one batch that could not be recorded, and one that was in flight then
    assert here.breaker.reason == "outcomes of published events cannot be recorded"

    here.outbox.failing = set()
    here.work()
    assert Counter(bus.accepted_ids) == dict.fromkeys(ids(events), 1)


def test_an_idle_relay_is_well_again_as_soon_as_the_outbox_is() -> None:
    here = RelayAtWork(AnsweringEventPublisher())
    here.outbox.failing = {"lease_due"}
    here.step()
    here.outbox.failing = set()

    here.step()

    assert here.relay.status().paused is None
    assert here.relay.status().last_error is None


def test_the_last_failure_is_told_with_its_time_until_all_is_well_again() -> None:
    bus = AnsweringEventPublisher(lambda _: AWAY)
    here = RelayAtWork(bus)
    here.add(10)
    began = utc_now()
    here.step()

    failed = here.relay.status()
    assert failed.last_error == "the bus is away"
    assert failed.last_error_at is not None
    assert began <= failed.last_error_at <= utc_now()

    bus.answer = lambda _: ACCEPTED
    here.work()
    assert here.relay.status().last_error is None
    assert here.relay.status().last_error_at is None


def test_a_bus_that_refuses_some_events_is_told_although_the_relay_goes_on() -> None:
    answers: Iterator[PublishOutcome] = chain([AWAY], repeat(ACCEPTED))
    here = RelayAtWork(AnsweringEventPublisher(lambda _: next(answers)), threads=1)
    here.add(10)
    here.step()

    assert here.relay.status().paused is None
    assert here.relay.status().last_error == "the bus is away"

    here.work()
    assert here.relay.status().last_error is None


def test_a_failure_is_over_when_no_event_waits_any_more() -> None:
    here = RelayAtWork(AnsweringEventPublisher(lambda _: AWAY))
    here.add(3)
    here.step()
    assert here.relay.status().paused == "the bus is away"

    here.clock.at += 3600
    leases = here.outbox.lease_due(10, lease_seconds=60)  # another relay delivers them
    here.outbox.record([Published(lease, "e") for lease in leases])
    here.step()

    assert here.relay.status().paused is None
    assert here.relay.status().last_error is None


def test_a_defect_of_the_outbox_does_not_end_the_relay(caplog: pytest.LogCaptureFixture) -> None:
    here = RelayAtWork(AnsweringEventPublisher())
    here.add()
    here.outbox.failing, here.outbox.error = {"lease_due"}, ZeroDivisionError()

    here.step()
    assert here.relay.status().paused == "unexpected error in the relay: ZeroDivisionError"
    assert here.relay.paused_by is PauseCause.RELAY
    assert caplog.records[0].exc_info

    here.outbox.failing = set()
    here.work()
    assert here.outbox.counts().published == 1


# Several relays, and crashes


def test_two_relays_share_the_work_and_send_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    bus, clock = AnsweringEventPublisher(), SimulatedTime()
    outbox = FaultyOutbox(clock)
    long, lease_seconds = 1e9, 1e12  # an idle relay makes simulated time fly
    monkeypatch.setattr("adapters.in_memory.outbox.MAX_WAIT_SECONDS", lease_seconds)
    relays = [
        RelayAtWork(bus, outbox=outbox, clock=clock, batch=10, lease_seconds=lease_seconds) for _ in range(2)
    ]
    events = relays[0].add(500)

    threads = [threading.Thread(target=relay.work, args=(long,)) for relay in relays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(bus.accepted_ids) == dict.fromkeys(ids(events), 1)


def test_a_relay_sends_nothing_in_the_second_half_of_its_lease() -> None:
    bus = AnsweringEventPublisher()
    here = RelayAtWork(bus, threads=1, lease_seconds=60)
    bus.answer = slowly(here.clock, 1)
    events = here.add(100)

    here.relay.step()
    sent = len(bus.accepted)
    assert 0 < sent <= 30 + MAX_BATCH  # one a second; the last call began in time
    assert here.outbox.counts().waiting == 100 - sent
    here.work()

    assert Counter(bus.accepted_ids) == dict.fromkeys(ids(events), 1)
    assert {record.attempts for record in here.outbox.records(limit=100)} == {0}


# Running and stopping


@contextmanager
def running(
    bus: AnsweringEventPublisher, outbox: FaultyOutbox, *, poll_seconds: float = POLL_SECONDS
) -> Iterator[tuple[Relay, threading.Event]]:
    """Run a relay in a thread until the block ends, and expect that it stops then."""
    breaker, stop = CircuitBreaker(), threading.Event()
    relay = Relay(outbox, BatchDispatcher(bus, breaker, threads=2), breaker, poll_seconds=poll_seconds)
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        yield relay, stop
    finally:
        stop.set()
        relay.wake()
        thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize(("poll_seconds", "wakes"), [(3600, True), (POLL_SECONDS, False)])
def test_a_running_relay_wakes_for_new_work_finds_that_of_other_processes_and_stops_at_once(
    poll_seconds: float, *, wakes: bool
) -> None:
    bus, outbox = AnsweringEventPublisher(), FaultyOutbox(time.time)
    with running(bus, outbox, poll_seconds=poll_seconds) as (relay, _):
        wait_until(lambda: len(outbox.leased) == 1)
        outbox.add(an_event())
        if wakes:
            relay.wake()
        wait_until(lambda: outbox.counts().published == 1)


def test_a_relay_that_stops_finishes_what_is_in_flight_and_gives_back_the_rest() -> None:
    bus, outbox = HeldUpEventPublisher(), FaultyOutbox(time.time)
    for _ in range(50):
        outbox.add(an_event())
    with running(bus, outbox) as (_, stop):
        assert bus.asked.wait(60)
        stop.set()
        bus.go_on.set()

    published = outbox.counts().published
    assert published == len(bus.accepted)
    assert 10 <= published <= 20
    given_back = outbox.lease_due(100, lease_seconds=1)
    assert len(given_back) == 50 - published
    assert {lease.attempts for lease in given_back} == {0}


def test_a_relay_that_stops_and_cannot_record_says_what_will_be_sent_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    bus, outbox = AnsweringEventPublisher(), FaultyOutbox(time.time, "record")
    outbox.add(an_event())
    with running(bus, outbox):
        wait_until(lambda: bus.accepted)

    (record,) = [record for record in caplog.records if record.message.startswith("outcomes not recorded")]
    assert vars(record)["events"] == 1
    assert caplog.records[-1].message == "relay stopped"


@pytest.mark.parametrize("refused", [1.0, 0.9], ids=["a pause", "the delay after a mostly refused batch"])
def test_a_delay_is_not_cut_short_by_new_work(refused: float) -> None:
    stop, chance = threading.Event(), seeded()

    def woken_all_the_time(seconds: float) -> bool:
        here.clock.at += min(seconds, 0.01)
        here.add()
        if here.clock.at > 1_000_060:
            stop.set()
        return True

    bus = AnsweringEventPublisher(lambda _: AWAY if chance.random() < refused else ACCEPTED)
    here = RelayAtWork(bus, threads=1, wait=woken_all_the_time)
    here.add(1000)
    here.relay.run(stop)

    assert sum(map(bool, here.outbox.leased)) <= 60


def test_the_status_tells_the_last_sign_of_life() -> None:
    here = RelayAtWork(AnsweringEventPublisher())
    assert here.relay.status() == RelayStatus(None, None, None, None)

    here.relay.step()
    here.clock.at += 7

    assert here.relay.status() == RelayStatus(None, 7.0, None, None)


class DefectiveBreaker(CircuitBreaker):
    """Circuit breaker that fails to count a success while `is_defective` is set."""

    is_defective = False

    def succeeded(self) -> None:
        if self.is_defective:
            raise RuntimeError("a defect")
        super().succeeded()


def test_batches_that_fail_one_after_the_other_do_not_end_the_relay() -> None:
    bus, breaker = AnsweringEventPublisher(), DefectiveBreaker()
    here = RelayAtWork(bus, breaker=breaker, batch=10)
    events = here.add(60)
    here.step()

    breaker.is_defective = True
    errors = []
    for _ in range(3):
        here.step()
        errors.append(here.relay.status().last_error)
    assert "unexpected error in the relay: RuntimeError" in errors

    breaker.is_defective = False
    here.work()
    assert here.ids(OutboxState.PUBLISHED) == set(ids(events))


def test_a_route_that_is_found_broken_holds_back_what_was_about_to_be_sent() -> None:
    breaker = CircuitBreaker()

    def lose_the_bus(_event: SentEvent) -> PublishOutcome:
        breaker.hold("the bus is missing")
        return ACCEPTED

    bus = AnsweringEventPublisher(lose_the_bus)
    here = RelayAtWork(bus, breaker=breaker, batch=100, threads=1)
    events = here.add(100)

    here.step()
    assert len(bus.accepted) == 10
    assert here.outbox.counts().waiting == 90

    breaker.release()
    bus.answer = lambda _: ACCEPTED
    here.work()
    assert Counter(bus.accepted_ids) == dict.fromkeys(ids(events), 1)
