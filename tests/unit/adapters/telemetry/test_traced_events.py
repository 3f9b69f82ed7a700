"""Spans of events: each event has the trace of its creation, in an inline attempt and in a relay."""

from collections.abc import Callable

import pytest
from opentelemetry.trace import SpanKind

from adapters.in_memory import InMemoryOutbox
from adapters.telemetry.traced.events import TracedEventHandler, TracedEventPublisher, TracedOutbox
from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import EventBusUnavailableError, HandlerError, OutboxUnavailableError
from ports.event_handler_port import EventHandlerPort
from tests.support.doubles.delivery import AnsweringEventPublisher, FaultyOutbox
from tests.support.samples.factories import A_TRACEPARENT, ANOTHER_TRACEPARENT, an_event, trace_of
from tests.support.telemetry.spans import RecordedTrace, links_of, parent_of, traceparent_of


class Handler(EventHandlerPort):
    """Handler that a function is, and that notes what it is called with."""

    def __init__(self, handle: Callable[[ReceivedEvent], object] = lambda _: None) -> None:
        self._handle = handle
        self.received: list[ReceivedEvent] = []
        self.is_aborted = False

    def handle(self, received: ReceivedEvent, /) -> None:
        self.received.append(received)
        self._handle(received)

    def abort(self) -> None:
        self.is_aborted = True


@pytest.fixture
def trace() -> RecordedTrace:
    return RecordedTrace()


def test_an_event_has_the_context_of_its_creation_in_the_trace_of_the_request(trace: RecordedTrace) -> None:
    outbox, event = TracedOutbox(InMemoryOutbox(), trace, "meetings"), an_event()

    with trace.span("request") as request:
        lease = outbox.add(event, lease_seconds=60)

    created = trace.only("create meetings")
    assert (traceparent_of(created), parent_of(created)) == (lease.traceparent, request.traceparent)
    assert created.kind is SpanKind.PRODUCER
    assert created.attributes == {
        "messaging.operation.name": "create",
        "messaging.operation.type": "create",
        "messaging.destination.name": "meetings",
        "messaging.message.id": str(event.interaction_id),
    }


def test_an_event_that_cannot_be_stored_fails_its_creation(trace: RecordedTrace) -> None:
    outbox = TracedOutbox(FaultyOutbox(lambda: 0.0, "add"), trace, "meetings")

    with pytest.raises(OutboxUnavailableError):
        outbox.add(an_event())

    assert (trace.only("create meetings").attributes or {})["error.type"] == "OutboxUnavailableError"


def test_a_relays_call_is_linked_to_each_creation_and_continues_none(trace: RecordedTrace) -> None:
    bus = AnsweringEventPublisher()
    contexts = (A_TRACEPARENT, None, ANOTHER_TRACEPARENT)

    TracedEventPublisher(bus, trace, "meetings").publish_all(
        [an_event() for _ in contexts], traceparents=contexts
    )

    sent = trace.only("send meetings")
    assert (sent.kind, parent_of(sent)) == (SpanKind.CLIENT, None)
    assert links_of(sent) == [A_TRACEPARENT, ANOTHER_TRACEPARENT]
    assert (sent.attributes or {})["messaging.batch.message_count"] == 3
    assert tuple(bus.traceparents) == contexts


@pytest.mark.parametrize(("count", "continues"), [(1, True), (1, False), (2, True)])
def test_only_the_call_of_a_waiting_request_is_part_of_its_trace(
    trace: RecordedTrace, count: int, *, continues: bool
) -> None:
    events = TracedEventPublisher(AnsweringEventPublisher(), trace, "meetings", continues=continues)

    events.publish_all([an_event() for _ in range(count)], traceparents=[A_TRACEPARENT] * count)

    expected = A_TRACEPARENT if continues and count == 1 else None
    assert parent_of(trace.only("send meetings")) == expected


def test_events_without_a_creation_have_the_context_of_their_call(trace: RecordedTrace) -> None:
    bus = AnsweringEventPublisher()

    TracedEventPublisher(bus, trace, "meetings").publish_all([an_event(), an_event()])

    sent = trace.only("send meetings")
    assert sent.kind is SpanKind.PRODUCER
    assert bus.traceparents == [traceparent_of(sent)] * 2


def test_a_call_that_fails_for_an_event_says_how(trace: RecordedTrace) -> None:
    refusal = EventBusUnavailableError("the transcript said: secret")
    events = TracedEventPublisher(AnsweringEventPublisher(lambda _: refusal), trace, "meetings")

    assert events.publish_all([an_event()]) == (refusal,)

    sent = trace.only("send meetings")
    assert (sent.attributes or {})["error.type"] == "EventBusUnavailableError"
    assert "secret" not in sent.to_json()


def test_a_handler_works_in_a_trace_of_its_own_that_is_linked_to_the_creation(trace: RecordedTrace) -> None:
    handler, event = Handler(), an_event()
    received = ReceivedEvent(event, receive_count=2, traceparent=A_TRACEPARENT)

    TracedEventHandler(handler, trace, "meetings").handle(received)

    processed = trace.only("process meetings")
    assert (processed.kind, parent_of(processed)) == (SpanKind.CONSUMER, None)
    assert links_of(processed) == [A_TRACEPARENT]
    (seen,) = handler.received
    assert (seen.event, seen.receive_count) == (event, 2)
    assert seen.traceparent == traceparent_of(processed)
    assert trace_of(seen.traceparent) != trace_of(A_TRACEPARENT)


def test_a_message_without_a_context_is_handled_in_a_trace_as_well(trace: RecordedTrace) -> None:
    handler = Handler()

    TracedEventHandler(handler, trace, "meetings").handle(ReceivedEvent(an_event()))

    assert links_of(trace.only("process meetings")) == []
    assert handler.received[0].traceparent


def test_a_handler_that_fails_fails_its_span(trace: RecordedTrace) -> None:
    def fail(_: ReceivedEvent) -> None:
        raise HandlerError("no")

    with pytest.raises(HandlerError):
        TracedEventHandler(Handler(fail), trace, "meetings").handle(ReceivedEvent(an_event()))

    assert (trace.only("process meetings").attributes or {})["error.type"] == "HandlerError"


def test_a_handler_can_be_aborted(trace: RecordedTrace) -> None:
    handler = Handler()

    TracedEventHandler(handler, trace, "meetings").abort()

    assert handler.is_aborted
