import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

import pytest

from adapters.in_memory import InMemoryEventPublisher, InMemoryOutbox
from domain.model.errors import (
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventRejectedError,
    EventTooLargeError,
    InteractionIdTakenError,
)
from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from domain.model.outbox import OutboxRecord, OutboxState, Outcome
from domain.services.publishing.outbox_publisher import OutboxPublisher
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import EventPort, PublishOutcome
from tests.contracts.event_port import Arrival, Delivery, EventPortContract, Transport
from tests.support.doubles.delivery import (
    ACCEPTED,
    AnsweringEventPublisher,
    FaultyOutbox,
    HeldUpEventPublisher,
    PromptThreads,
)
from tests.support.doubles.transcription import FailingEventPublisher
from tests.support.samples.factories import a_referring_event, an_event

QUEUED = (PublicationStatus.QUEUED, None)
AWAY = EventBusUnavailableError("the bus is away")


class PublisherHarness:
    """Publisher with its outbox and breaker."""

    def __init__(
        self, events: EventPort, outbox: InMemoryOutbox | None = None, timeout_seconds: float = 10
    ) -> None:
        self.outbox = outbox or InMemoryOutbox()
        self.breaker = CircuitBreaker(threshold=3)
        self.woken = 0
        self.publisher = OutboxPublisher(
            self.outbox,
            events,
            self.breaker,
            wake=self.wake,
            executor=PromptThreads(2),
            timeout_seconds=timeout_seconds,
        )

    def wake(self) -> None:
        self.woken += 1

    def record(self, interaction_id: UUID) -> OutboxRecord:
        """Return the record of an event after all calls have ended."""
        self.publisher.close()
        return self.record_so_far(interaction_id)

    def record_so_far(self, interaction_id: UUID) -> OutboxRecord:
        record = self.outbox.find(interaction_id)
        assert record
        return record


House = Callable[..., PublisherHarness]
"""Makes a publisher that is closed after the test."""


@pytest.fixture
def house() -> Iterator[House]:
    houses: list[PublisherHarness] = []

    def build(
        events: EventPort, outbox: InMemoryOutbox | None = None, timeout_seconds: float = 10
    ) -> PublisherHarness:
        houses.append(PublisherHarness(events, outbox, timeout_seconds))
        return houses[-1]

    yield build
    for each in houses:
        each.publisher.close()


class TestOutboxPublisher(EventPortContract):
    @pytest.fixture
    def transport(self, house: House) -> Transport:
        far_end = InMemoryEventPublisher()

        def arrivals(_count: int) -> list[Arrival]:
            return [Arrival(*pair) for pair in zip(far_end.accepted, far_end.labels, strict=True)]

        return Transport(house(far_end).publisher, arrivals, Delivery(has_bus=False))


def test_an_event_that_the_bus_accepts_is_published_and_recorded(house: House) -> None:
    here, event = house(AnsweringEventPublisher()), an_event()

    assert here.publisher.publish(event) == ACCEPTED

    record = here.record(event.interaction_id)
    assert (record.state, record.event_id, record.event) == (OutboxState.PUBLISHED, "event-1", None)
    assert here.woken == 0


def test_another_event_with_a_stored_interaction_id_is_neither_sent_nor_said_to_be_queued(
    house: House,
) -> None:
    bus = InMemoryEventPublisher()
    here, first = house(bus), an_event()
    here.publisher.publish(first)

    with pytest.raises(InteractionIdTakenError):
        here.publisher.publish(an_event(interaction_id=first.interaction_id, raw_transcript="another"))

    assert bus.accepted == (first,)


def test_callers_do_not_wait_until_it_is_recorded_that_the_bus_took_their_event(house: House) -> None:
    recording = threading.Event()

    class SlowOutbox(InMemoryOutbox):
        def record(self, outcomes: Sequence[Outcome], /) -> int:
            assert recording.wait(30)
            return super().record(outcomes)

    here, event = house(AnsweringEventPublisher(), SlowOutbox()), an_event()

    assert here.publisher.publish(event) == ACCEPTED
    assert here.record_so_far(event.interaction_id).state is OutboxState.WAITING

    recording.set()
    assert here.record(event.interaction_id).state is OutboxState.PUBLISHED


def test_an_event_is_kept_before_the_bus_is_tried(house: House) -> None:
    bus, event = HeldUpEventPublisher(), an_event()
    here = house(bus)
    caller = threading.Thread(target=here.publisher.publish, args=(event,))
    caller.start()

    assert bus.asked.wait(60)
    assert here.record_so_far(event.interaction_id).state is OutboxState.WAITING
    assert here.outbox.lease_due(1, lease_seconds=1) == ()  # the relay leaves it to the inline attempt

    bus.go_on.set()
    caller.join()
    assert here.record(event.interaction_id).state is OutboxState.PUBLISHED


@pytest.mark.parametrize(
    "error", [AWAY, EventBusRefusesUsError("access denied"), RuntimeError("a defect")], ids=repr
)
def test_whatever_fails_at_the_bus_leaves_the_event_to_the_relay(house: House, error: Exception) -> None:
    here, event = house(FailingEventPublisher(error)), an_event()

    assert here.publisher.publish(event) == QUEUED

    record = here.record(event.interaction_id)
    assert (record.state, record.event) == (OutboxState.WAITING, event)
    assert record.reason
    assert here.woken == 1


@pytest.mark.parametrize("error", [EventRejectedError("malformed"), EventTooLargeError("too large")])
def test_an_event_that_will_never_be_accepted_is_parked_and_the_caller_is_told(
    house: House, error: EventRejectedError
) -> None:
    here, event = house(FailingEventPublisher(error)), an_event()

    with pytest.raises(EventRejectedError, match=str(error)):
        here.publisher.publish(event)

    record = here.record(event.interaction_id)
    assert (record.state, record.reason, record.event) == (OutboxState.REJECTED, str(error), event)
    assert not here.breaker.is_open


def refuse_a_connection(_event: SentEvent) -> PublishOutcome:
    """Fail as a transport that catches its own error, and returns it as the outcome."""
    try:
        raise EventBusUnavailableError("connection refused")
    except EventBusUnavailableError as error:
        return error


@pytest.mark.parametrize(
    ("bus", "timeout_seconds", "shown"),
    [
        (AnsweringEventPublisher(refuse_a_connection), 10, "in refuse_a_connection"),
        (FailingEventPublisher(RuntimeError("a defect")), 10, "RuntimeError: a defect"),
        (HeldUpEventPublisher(), 0.05, "in wait_for"),
    ],
    ids=["an error of the transport", "a defect", "a time-out"],
)
def test_the_logged_trace_shows_where_publishing_failed(
    house: House, caplog: pytest.LogCaptureFixture, bus: EventPort, timeout_seconds: float, shown: str
) -> None:
    assert house(bus, timeout_seconds=timeout_seconds).publisher.publish(an_event()) == QUEUED
    if isinstance(bus, HeldUpEventPublisher):
        bus.go_on.set()

    (record,) = [record for record in caplog.records if record.message.startswith("event publishing failed")]
    assert record.exc_info
    assert shown in "".join(traceback.format_exception(*record.exc_info))


@pytest.mark.parametrize(
    ("answer", "state", "logged"),
    [(ACCEPTED, OutboxState.PUBLISHED, ["event published"]), (AWAY, OutboxState.WAITING, [])],
    ids=["accepted", "failed"],
)
def test_an_answer_that_comes_late_is_recorded_all_the_same(
    house: House,
    caplog: pytest.LogCaptureFixture,
    answer: PublishOutcome,
    state: OutboxState,
    logged: list[str],
) -> None:
    caplog.set_level(logging.INFO)
    bus, event = HeldUpEventPublisher(lambda _: answer), an_event()
    here = house(bus, timeout_seconds=0.2)

    assert here.publisher.publish(event) == QUEUED
    assert here.record_so_far(event.interaction_id).state is OutboxState.WAITING
    bus.go_on.set()

    record = here.record(event.interaction_id)
    assert (record.state, record.reason) == (state, None if answer == ACCEPTED else str(AWAY))
    assert here.woken == (answer == AWAY)
    assert caplog.messages == ["event publishing failed, the event is kept", *logged]


def test_an_attempt_that_found_no_thread_in_time_is_left_to_the_relay_at_once(house: House) -> None:
    bus = HeldUpEventPublisher()
    here = house(bus, timeout_seconds=0.2)
    events = [an_event() for _ in range(3)]  # and there are two threads

    assert [here.publisher.publish(event) for event in events] == [QUEUED] * 3

    (lease,) = here.outbox.lease_due(10, lease_seconds=60)
    assert (lease.interaction_id, lease.attempts) == (events[2].interaction_id, 0)
    assert here.woken == 1
    bus.go_on.set()
    here.publisher.close()
    assert sorted(bus.accepted_ids) == sorted(event.interaction_id for event in events[:2])


def test_after_failures_in_a_row_callers_do_not_pay_for_the_bus(house: House) -> None:
    bus = AnsweringEventPublisher(lambda _: AWAY)
    here = house(bus)
    events = [an_event() for _ in range(10)]

    assert [here.publisher.publish(event) for event in events] == [QUEUED] * 10

    assert len(bus.calls) == 3
    assert here.breaker.reason == "the bus is away"
    here.publisher.close()
    assert here.outbox.counts().waiting == 10
    assert here.woken == 10
    assert len(here.outbox.lease_due(10, lease_seconds=1)) >= 7  # an event that was not tried is not leased


def test_a_success_in_between_keeps_the_breaker_closed(house: House) -> None:
    answers: Iterator[PublishOutcome] = iter([AWAY, AWAY, ACCEPTED] * 3)
    here = house(AnsweringEventPublisher(lambda _: next(answers)))

    for _ in range(9):
        here.publisher.publish(an_event())

    assert not here.breaker.is_open


def test_while_the_route_is_broken_the_bus_is_not_tried(house: House) -> None:
    bus = AnsweringEventPublisher()
    here = house(bus)
    here.breaker.hold("the bus does not exist")

    assert here.publisher.publish(an_event()) == QUEUED
    assert bus.calls == []


@pytest.mark.parametrize("tripped", [False, True])
def test_an_outbox_that_fails_leaves_the_bus_even_where_the_breaker_is_open(
    house: House, caplog: pytest.LogCaptureFixture, *, tripped: bool
) -> None:
    bus, event = AnsweringEventPublisher(), an_event()
    here = house(bus, FaultyOutbox(time.time, "add", "record"))
    if tripped:
        here.breaker.trip("the bus was away")

    assert here.publisher.publish(event) == ACCEPTED

    assert bus.accepted == [event]
    assert not here.breaker.is_open
    (record,) = caplog.records
    assert record.message == "the event could not be stored, only the bus is tried"
    assert vars(record)["interaction_id"] == str(event.interaction_id)
    assert not record.exc_info  # the event was published: requirement 10.5 asks for no trace


@pytest.mark.parametrize("error", [AWAY, EventRejectedError("malformed")])
def test_only_if_both_fail_is_an_error_raised(house: House, error: Exception) -> None:
    here = house(FailingEventPublisher(error), FaultyOutbox(time.time, "add"))

    with pytest.raises(type(error), match=str(error)):
        here.publisher.publish(an_event())


def test_a_bus_that_does_not_answer_and_an_outbox_that_fails_are_an_error_in_time(house: House) -> None:
    bus = HeldUpEventPublisher()
    here = house(bus, FaultyOutbox(time.time, "add"), timeout_seconds=0.2)

    with pytest.raises(EventBusUnavailableError, match=r"did not answer within 0\.2 s"):
        here.publisher.publish(an_event())
    bus.go_on.set()


def test_without_an_outbox_an_event_is_not_thrown_at_a_bus_that_would_drop_it(house: House) -> None:
    bus = AnsweringEventPublisher()
    here = house(bus, FaultyOutbox(time.time, "add"))
    here.breaker.hold("the rule does not exist")

    with pytest.raises(EventBusUnavailableError, match="the rule does not exist"):
        here.publisher.publish(an_event())
    assert bus.calls == []


def test_what_is_published_and_cannot_be_recorded_is_published(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    here, event = house(AnsweringEventPublisher(), FaultyOutbox(time.time, "record")), an_event()

    assert here.publisher.publish(event) == ACCEPTED

    assert here.record(event.interaction_id).state is OutboxState.WAITING  # a duplicate later, and no loss
    (record,) = caplog.records
    assert record.message == "outcome not recorded, the event will be sent again"
    assert not record.exc_info  # an expected outage


def test_an_event_with_labels_goes_to_the_bus_alone_since_the_outbox_keeps_no_labels(house: House) -> None:
    bus, event, referring = AnsweringEventPublisher(), an_event(), a_referring_event()
    here = house(bus)

    assert here.publisher.publish(event, labels=("urn:a",)) == ACCEPTED
    assert isinstance(here.publisher.publish(referring), Publication)

    assert bus.labels == [("urn:a",), ()]
    assert here.outbox.counts() == (0, 0, 0, 0.0)
