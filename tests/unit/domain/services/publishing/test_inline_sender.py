import logging
import time
from collections.abc import Callable, Iterator, Sequence
from threading import Semaphore

import pytest

from domain.model.errors import EventBusRefusesUsError, EventBusUnavailableError, EventRejectedError
from domain.model.events.event import BatchProcessingCompleted, CompletedEvent, Publication, PublicationStatus
from domain.model.outbox import OutboxState
from domain.services.publishing.inline_sender import SHARED_CHARACTERS, InlineSender, PendingPublish
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import MAX_BATCH, PublishOutcome
from tests.support.doubles.delivery import ACCEPTED, AnsweringEventPublisher, FaultyOutbox, seeded
from tests.support.samples.factories import an_event

AWAY = EventBusUnavailableError("the bus is away")
PATIENT, IMPATIENT = 30.0, 0.01

Answer = Callable[[CompletedEvent], PublishOutcome]


class StepwiseBus(AnsweringEventPublisher):
    """Answers each call when it is told to."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self._asked = Semaphore(0)
        self._allowed = Semaphore(0)

    def publish_all(
        self, events: Sequence[CompletedEvent], /, *, labels: tuple[str, ...] = ()
    ) -> tuple[PublishOutcome, ...]:
        self._asked.release()
        assert self._allowed.acquire(timeout=30)
        return super().publish_all(events, labels=labels)

    def wait_until_asked(self) -> None:
        assert self._asked.acquire(timeout=30)

    def answer_calls(self, count: int) -> None:
        self._allowed.release(count)


class SenderHarness:
    """Where callers queue: the bus is held up with the event of the first of them.

    Attributes:
        first: the attempt at that event.
    """

    def __init__(self, answer: Answer, outbox: FaultyOutbox, calls: int) -> None:
        self.bus = StepwiseBus(answer)
        self.outbox = outbox
        self.breaker = CircuitBreaker(threshold=3)
        self.woken = 0
        self.calls = InlineSender(
            self.outbox, self.bus, self.breaker, wake=self.wake, source="here", calls=calls, random=seeded()
        )
        self.first = self.begin(an_event())
        self.bus.wait_until_asked()

    def wake(self) -> None:
        self.woken += 1

    def begin(self, event: BatchProcessingCompleted) -> PendingPublish:
        return self.calls.begin(event, self.outbox.add(event, lease_seconds=60))

    def begin_some(self, count: int) -> list[PendingPublish]:
        return [self.begin(an_event()) for _ in range(count)]

    def go_on(self) -> None:
        self.bus.answer_calls(1000)
        self.calls.close()

    @property
    def sizes(self) -> list[int]:
        return [len(call) for call in self.bus.calls]

    def states(self, attempts: list[PendingPublish]) -> list[OutboxState]:
        records = (self.outbox.find(attempt.event.interaction_id) for attempt in attempts)
        return [record.state for record in records if record]


@pytest.fixture
def counter() -> Iterator[Callable[..., SenderHarness]]:
    counters: list[SenderHarness] = []

    def build(
        answer: Answer = lambda _: ACCEPTED, *, outbox: FaultyOutbox | None = None, calls: int = 1
    ) -> SenderHarness:
        counters.append(SenderHarness(answer, outbox or FaultyOutbox(time.time), calls))
        return counters[-1]

    yield build
    for each in counters:
        each.go_on()


def test_who_comes_alone_is_sent_at_once(counter: Callable[..., SenderHarness]) -> None:
    here = counter()

    assert not here.first.outcome.done()  # the bus was asked, nobody else is there

    here.go_on()
    assert here.calls.answer(here.first, PATIENT) == ACCEPTED


def test_who_comes_while_no_call_is_free_shares_the_next_one(counter: Callable[..., SenderHarness]) -> None:
    here = counter()
    others = here.begin_some(3)

    here.go_on()

    assert here.sizes == [1, 3]
    assert [here.calls.answer(each, PATIENT) for each in others] == [ACCEPTED] * 3
    assert here.states([here.first, *others]) == [OutboxState.PUBLISHED] * 4


def test_a_call_holds_no_more_events_than_the_bus_takes(counter: Callable[..., SenderHarness]) -> None:
    here = counter()
    here.begin_some(MAX_BATCH + 2)

    here.go_on()

    assert here.sizes == [1, MAX_BATCH, 2]


def test_long_texts_travel_alone(counter: Callable[..., SenderHarness]) -> None:
    here = counter()
    long = an_event(raw_transcript="a" * SHARED_CHARACTERS, cleaned_transcript="b")
    for event in (an_event(), an_event(), long, an_event(), long.model_copy()):
        here.calls.begin(event, None)

    here.go_on()

    assert here.sizes == [1, 2, 1, 1, 1]


def test_a_call_that_is_held_up_holds_up_no_other(counter: Callable[..., SenderHarness]) -> None:
    here = counter(calls=2)

    second = here.begin(an_event())
    here.bus.wait_until_asked()  # while the first is still held up

    here.go_on()
    assert here.calls.answer(second, PATIENT) == ACCEPTED
    assert here.sizes == [1, 1]


def test_each_gets_the_outcome_of_its_own_event(counter: Callable[..., SenderHarness]) -> None:
    answers: dict[CompletedEvent, PublishOutcome] = {}
    here = counter(lambda event: answers.get(event, ACCEPTED))
    fine, wrong, unlucky = here.begin_some(3)
    receipt = Publication(PublicationStatus.PUBLISHED, "a receipt of its own")
    answers |= {fine.event: receipt, wrong.event: EventRejectedError("malformed"), unlucky.event: AWAY}

    here.go_on()

    outcomes = [here.calls.answer(each, PATIENT) for each in (fine, wrong, unlucky)]
    assert outcomes == [receipt, answers[wrong.event], AWAY]
    assert here.states([fine, wrong, unlucky]) == [
        OutboxState.PUBLISHED,
        OutboxState.REJECTED,
        OutboxState.WAITING,
    ]
    assert here.woken == 1


def test_what_became_of_a_call_is_recorded_in_one_transaction(counter: Callable[..., SenderHarness]) -> None:
    here = counter()
    here.begin_some(3)

    here.go_on()

    assert [len(outcomes) for outcomes in here.outbox.recorded] == [1, 3]


def test_a_call_that_fails_is_one_failure_however_many_shared_it(
    counter: Callable[..., SenderHarness],
) -> None:
    here = counter(lambda _: AWAY)
    here.begin_some(9)

    here.go_on()

    assert here.sizes == [1, 9]
    assert not here.breaker.is_open
    here.breaker.failed("a third")
    assert here.breaker.is_open


def test_a_call_that_refuses_us_opens_the_breaker_at_once(counter: Callable[..., SenderHarness]) -> None:
    here = counter(lambda _: EventBusRefusesUsError("access denied"))

    here.go_on()

    assert here.breaker.reason == "access denied"


def test_a_call_whose_callers_leave_is_one_failure_and_is_recorded_all_the_same(
    counter: Callable[..., SenderHarness], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    here = counter()
    others = here.begin_some(9)
    here.bus.answer_calls(1)
    here.bus.wait_until_asked()  # for the nine

    for each in others:
        assert isinstance(here.calls.answer(each, IMPATIENT), EventBusUnavailableError)

    assert not here.breaker.is_open
    here.breaker.failed("a second")
    assert not here.breaker.is_open
    here.go_on()
    assert here.states(others) == [OutboxState.PUBLISHED] * 9
    assert [record.message for record in caplog.records] == ["event published"] * 9
    here.breaker.failed("a third: what came late closed nothing")
    assert here.breaker.is_open


def test_who_leaves_before_a_call_is_free_is_not_sent_but_left_to_the_relay(
    counter: Callable[..., SenderHarness],
) -> None:
    here = counter()
    (left, stays) = here.begin_some(2)

    assert isinstance(here.calls.answer(left, IMPATIENT), EventBusUnavailableError)

    assert here.woken == 1
    (lease,) = here.outbox.lease_due(10, lease_seconds=60)
    assert (lease.interaction_id, lease.attempts) == (left.event.interaction_id, 0)
    here.go_on()
    assert here.bus.calls[1] == (stays.event,)
    assert here.calls.answer(stays, PATIENT) == ACCEPTED


def test_callers_are_answered_although_nothing_can_be_recorded(
    counter: Callable[..., SenderHarness], caplog: pytest.LogCaptureFixture
) -> None:
    here = counter(outbox=FaultyOutbox(time.time, "record"))
    others = here.begin_some(2)

    here.go_on()

    assert [here.calls.answer(each, PATIENT) for each in others] == [ACCEPTED] * 2
    assert {record.message for record in caplog.records} == {"the outcome could not be recorded"}
    assert len(caplog.records) == 3
