import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore

import pytest

from domain.model.errors import EventBusRefusesUsError, EventBusUnavailableError, EventRejectedError
from domain.model.events.event import BatchProcessingCompleted, Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from domain.model.outbox import OutboxState
from domain.services.publishing.inline_sender import MAX_SHARED_CHARACTERS, InlineSender, PendingPublish
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import MAX_BATCH, PublishOutcome, Traceparents
from tests.support.doubles.delivery import ACCEPTED, AnsweringEventPublisher, FaultyOutbox, seeded
from tests.support.samples.factories import an_event

AWAY = EventBusUnavailableError("the bus is away")
PATIENT, IMPATIENT = 30.0, 0.01

Answer = Callable[[SentEvent], PublishOutcome]


class StepwiseBus(AnsweringEventPublisher):
    """Transport that answers each call once it is allowed to."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self._asked = Semaphore(0)
        self._allowed = Semaphore(0)

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        self._asked.release()
        assert self._allowed.acquire(timeout=30)
        return super().publish_all(events, labels=labels, traceparents=traceparents)

    def wait_until_asked(self) -> None:
        assert self._asked.acquire(timeout=30)

    def answer_calls(self, count: int) -> None:
        self._allowed.release(count)


class SenderHarness:
    """Sender whose bus is held up by the event of a first caller.

    Attributes:
        first: the pending publish of that event.
    """

    def __init__(self, answer: Answer, outbox: FaultyOutbox, calls: int) -> None:
        self.bus = StepwiseBus(answer)
        self.outbox = outbox
        self.breaker = CircuitBreaker(threshold=3)
        self.woken = 0
        self.sender = InlineSender(
            self.outbox,
            self.bus,
            self.breaker,
            wake=self.wake,
            source="here",
            executor=ThreadPoolExecutor(calls),
            random=seeded(),
        )
        self.first = self.submit(an_event())
        self.bus.wait_until_asked()

    def wake(self) -> None:
        self.woken += 1

    def submit(self, event: BatchProcessingCompleted) -> PendingPublish:
        return self.sender.submit(event, self.outbox.add(event, lease_seconds=60))

    def submit_some(self, count: int) -> list[PendingPublish]:
        return [self.submit(an_event()) for _ in range(count)]

    def go_on(self) -> None:
        self.bus.answer_calls(1000)
        self.sender.close()

    @property
    def sizes(self) -> list[int]:
        return [len(call) for call in self.bus.calls]

    def states(self, attempts: list[PendingPublish]) -> list[OutboxState]:
        records = (self.outbox.find(attempt.event.interaction_id) for attempt in attempts)
        return [record.state for record in records if record]


Sender = Callable[..., SenderHarness]
"""Makes a sender that is closed after the test."""


@pytest.fixture
def sender() -> Iterator[Sender]:
    senders: list[SenderHarness] = []

    def build(
        answer: Answer = lambda _: ACCEPTED, *, outbox: FaultyOutbox | None = None, calls: int = 1
    ) -> SenderHarness:
        senders.append(SenderHarness(answer, outbox or FaultyOutbox(time.time), calls))
        return senders[-1]

    yield build
    for each in senders:
        each.go_on()


def test_who_comes_alone_is_sent_at_once(sender: Sender) -> None:
    here = sender()

    assert not here.first.outcome.done()  # the bus was asked for this event alone

    here.go_on()
    assert here.sender.wait_for(here.first, PATIENT) == ACCEPTED


def test_who_comes_while_no_call_is_free_shares_the_next_one(sender: Sender) -> None:
    here = sender()
    others = here.submit_some(3)

    here.go_on()

    assert here.sizes == [1, 3]
    assert [len(outcomes) for outcomes in here.outbox.recorded] == [1, 3]
    assert [here.sender.wait_for(each, PATIENT) for each in others] == [ACCEPTED] * 3
    assert here.states([here.first, *others]) == [OutboxState.PUBLISHED] * 4


def test_a_call_holds_no_more_events_than_the_bus_takes(sender: Sender) -> None:
    here = sender()
    here.submit_some(MAX_BATCH + 2)

    here.go_on()

    assert here.sizes == [1, MAX_BATCH, 2]


def test_long_texts_travel_alone(sender: Sender) -> None:
    here = sender()
    long = an_event(raw_transcript="a" * MAX_SHARED_CHARACTERS, cleaned_transcript="b")
    for event in (an_event(), an_event(), long, an_event(), long.model_copy()):
        here.sender.submit(event, None)

    here.go_on()

    assert here.sizes == [1, 2, 1, 1, 1]


def test_a_call_that_is_held_up_holds_up_no_other(sender: Sender) -> None:
    here = sender(calls=2)

    second = here.submit(an_event())
    here.bus.wait_until_asked()  # while the first is still held up

    here.go_on()
    assert here.sender.wait_for(second, PATIENT) == ACCEPTED
    assert here.sizes == [1, 1]


def test_each_gets_the_outcome_of_its_own_event(sender: Sender) -> None:
    answers: dict[SentEvent, PublishOutcome] = {}
    here = sender(lambda event: answers.get(event, ACCEPTED))
    fine, wrong, unlucky = here.submit_some(3)
    receipt = Publication(PublicationStatus.PUBLISHED, "a receipt of its own")
    answers |= {fine.event: receipt, wrong.event: EventRejectedError("malformed"), unlucky.event: AWAY}

    here.go_on()

    outcomes = [here.sender.wait_for(each, PATIENT) for each in (fine, wrong, unlucky)]
    assert outcomes == [receipt, answers[wrong.event], AWAY]
    assert here.states([fine, wrong, unlucky]) == [
        OutboxState.PUBLISHED,
        OutboxState.REJECTED,
        OutboxState.WAITING,
    ]
    assert here.woken == 1


def test_a_call_that_fails_is_one_failure_however_many_shared_it(sender: Sender) -> None:
    here = sender(lambda _: AWAY)
    here.submit_some(9)

    here.go_on()

    assert here.sizes == [1, 9]
    assert not here.breaker.is_open
    here.breaker.failed("a third")
    assert here.breaker.is_open


def test_a_call_that_refuses_us_opens_the_breaker_at_once(sender: Sender) -> None:
    here = sender(lambda _: EventBusRefusesUsError("access denied"))

    here.go_on()

    assert here.breaker.reason == "access denied"


def test_a_call_whose_callers_leave_is_one_failure_and_is_recorded_all_the_same(
    sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    here = sender()
    others = here.submit_some(9)
    here.bus.answer_calls(1)
    here.bus.wait_until_asked()  # for the nine

    for each in others:
        assert isinstance(here.sender.wait_for(each, IMPATIENT), EventBusUnavailableError)

    assert not here.breaker.is_open
    here.breaker.failed("a second")
    assert not here.breaker.is_open
    here.go_on()
    assert here.states(others) == [OutboxState.PUBLISHED] * 9
    assert [record.message for record in caplog.records] == ["event published"] * 9
    here.breaker.failed("a third: what came late closed nothing")
    assert here.breaker.is_open


def test_who_leaves_before_a_call_is_free_is_not_sent_but_left_to_the_relay(sender: Sender) -> None:
    here = sender()
    (left, stays) = here.submit_some(2)

    assert isinstance(here.sender.wait_for(left, IMPATIENT), EventBusUnavailableError)

    assert here.woken == 1
    (lease,) = here.outbox.lease_due(10, lease_seconds=60)
    assert (lease.interaction_id, lease.attempts) == (left.event.interaction_id, 0)
    here.go_on()
    assert here.bus.calls[1] == (stays.event,)
    assert here.sender.wait_for(stays, PATIENT) == ACCEPTED


def test_callers_are_answered_although_nothing_can_be_recorded(
    sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    here = sender(outbox=FaultyOutbox(time.time, "record"))
    others = here.submit_some(2)

    here.go_on()

    assert [here.sender.wait_for(each, PATIENT) for each in others] == [ACCEPTED] * 2
    assert {record.message for record in caplog.records} == {
        "outcome not recorded, the event will be sent again"
    }
    assert len(caplog.records) == 3
