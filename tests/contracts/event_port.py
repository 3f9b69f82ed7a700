"""Contract of `EventPort`: one test for each sentence of its docstrings.

A transport binds the contract by subclassing it and providing the fixture `transport`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from domain.model.errors import EventBusUnavailableError, EventRejectedError, EventTooLargeError
from domain.model.events.event import TEST_EVENT_LABEL, Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from ports.event_port import EventPort
from tests.support.samples.factories import A_TRACEPARENT, ANOTHER_TRACEPARENT, a_referring_event, an_event

AWKWARD_TEXTS = {
    "nothing was said": "",
    "every script": "Grüße, 你好, שלום, नमस्ते 👩‍👩‍👧 𝄞",
    "looks like JSON": '{"detail": "\\"}", \\u0041 $.detail',
    "looks like a placeholder": "<aws.events.event.json>",
    "control characters": "line\r\n\ttab \x00\x1b[31m \u202e \u2028",
    "hours of talk": "and then she said " * 6_000,
    "a day of talk": "and then she said " * 25_000,
}


@dataclass(frozen=True)
class Delivery:
    """Differences between transports."""

    keeps_events: bool = True
    has_bus: bool = True
    """True for a transport with an external bus, which can be unreachable or unknown, or refuse an event."""
    unknown_bus_is_refused: bool = False
    """True for moto; AWS accepts the event and drops it."""
    cannot_carry: frozenset[str] = frozenset()
    """Keys of `AWKWARD_TEXTS` that an emulator cannot carry, although AWS can."""


class Arrival(NamedTuple):
    """An event as a consumer receives it."""

    event: SentEvent
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Transport:
    """A transport with its receiving end."""

    port: EventPort
    arrivals: Callable[[int], list[Arrival]]
    """Returns the events that arrived, once they are as many as expected."""
    delivery: Delivery = field(default_factory=Delivery)
    to_unknown_bus: EventPort | None = None
    unreachable: EventPort | None = None
    traceparents: Callable[[], list[str | None]] | None = None
    """Returns the trace contexts of the events that arrived; None where the receiver sees none."""


class EventPortContract:
    """Bound by each adapter of `EventPort`."""

    def test_every_accepted_event_is_delivered_at_least_once(self, transport: Transport) -> None:
        needs_arrivals(transport)
        events = [an_event() for _ in range(3)]

        for event in events:
            transport.port.publish(event)

        assert arrived_events(transport, 3) == {event.interaction_id: event for event in events}

    @pytest.mark.parametrize("kind", AWKWARD_TEXTS)
    def test_an_event_arrives_as_it_was_handed_in_whole(self, transport: Transport, kind: str) -> None:
        needs_arrivals(transport)
        if kind in transport.delivery.cannot_carry:
            pytest.skip("this imitation of a bus cannot carry such a text")
        text = AWKWARD_TEXTS[kind]
        event = an_event(raw_transcript=text, cleaned_transcript=text, account_id=None)

        transport.port.publish(event)

        assert transport.arrivals(1)[0].event == event

    def test_several_threads_may_publish_at_once(self, transport: Transport) -> None:
        needs_arrivals(transport)
        events = [an_event() for _ in range(8)]

        with ThreadPoolExecutor(4) as threads:
            publications = list(threads.map(transport.port.publish, events))

        assert len({publication.event_id for publication in publications}) == 8
        assert arrived_events(transport, 8) == {event.interaction_id: event for event in events}

    def test_the_event_is_not_changed(self, transport: Transport) -> None:
        event = an_event()
        before = event.to_json()

        transport.port.publish(event)

        assert event.to_json() == before

    def test_labels_travel_beside_the_event(self, transport: Transport) -> None:
        needs_arrivals(transport)
        event, labels = an_event(), (TEST_EVENT_LABEL, "urn:another")

        transport.port.publish(event, labels=labels)

        assert transport.arrivals(1) == [Arrival(event, labels)]

    def test_trace_contexts_change_neither_events_nor_outcomes(self, transport: Transport) -> None:
        events = [an_event() for _ in range(3)]

        outcomes = transport.port.publish_all(events, traceparents=(A_TRACEPARENT, None, "unreadable"))

        assert all(isinstance(outcome, Publication) for outcome in outcomes)
        if transport.delivery.keeps_events:
            assert arrived_events(transport, 3) == {event.interaction_id: event for event in events}

    def test_trace_contexts_arrive_beside_their_events(self, transport: Transport) -> None:
        if transport.traceparents is None:
            pytest.skip("this receiver sees no trace context")
        events = [an_event() for _ in range(12)]
        contexts = [A_TRACEPARENT, None, ANOTHER_TRACEPARENT] * 4

        transport.port.publish_all(events, traceparents=contexts)
        transport.port.publish_all([an_event()])

        assert transport.traceparents() == [*contexts, None]

    def test_an_event_needs_no_label(self, transport: Transport) -> None:
        needs_arrivals(transport)

        transport.port.publish(an_event())

        assert transport.arrivals(1)[0].labels == ()

    def test_the_publication_says_whether_the_event_is_on_its_way(self, transport: Transport) -> None:
        publication = transport.port.publish(an_event())

        if transport.delivery.keeps_events:
            assert publication.status is PublicationStatus.PUBLISHED
            assert publication.event_id
        else:
            assert publication == (PublicationStatus.DISABLED, None)

    def test_several_events_have_an_outcome_each_in_their_order(self, transport: Transport) -> None:
        events = [an_event() for _ in range(12)]

        outcomes = transport.port.publish_all(events)

        statuses = [outcome.status for outcome in outcomes if isinstance(outcome, Publication)]
        if not transport.delivery.keeps_events:
            assert statuses == [PublicationStatus.DISABLED] * 12
            return
        assert statuses == [PublicationStatus.PUBLISHED] * 12
        assert arrived_events(transport, 12) == {event.interaction_id: event for event in events}

    def test_no_events_are_no_work(self, transport: Transport) -> None:
        assert transport.port.publish_all(()) == ()

    def test_labels_travel_beside_each_of_several_events(self, transport: Transport) -> None:
        needs_arrivals(transport)

        transport.port.publish_all([an_event(), an_event()], labels=("urn:a",))

        assert [arrival.labels for arrival in transport.arrivals(2)] == [("urn:a",)] * 2

    def test_an_event_of_version_2_arrives_as_it_was_handed_in(self, transport: Transport) -> None:
        needs_arrivals(transport)
        event = a_referring_event()

        transport.port.publish(event)

        assert transport.arrivals(1)[0].event == event

    def test_one_of_several_that_fails_takes_no_other_with_it(self, transport: Transport) -> None:
        needs_bus(transport)
        events = [an_event(), an_event(raw_transcript="x" * 2_000_000), an_event()]

        first, rejected, last = transport.port.publish_all(events)

        assert isinstance(first, Publication)
        assert isinstance(rejected, EventTooLargeError)
        assert isinstance(last, Publication)
        assert set(arrived_events(transport, 2)) == {events[0].interaction_id, events[2].interaction_id}

    def test_nothing_is_raised_for_several_events_of_a_bus_that_is_away(self, transport: Transport) -> None:
        needs_bus(transport)
        assert transport.unreachable

        outcomes = transport.unreachable.publish_all([an_event() for _ in range(12)])

        assert [type(outcome) for outcome in outcomes] == [EventBusUnavailableError] * 12

    def test_an_event_that_will_never_be_accepted_is_rejected(self, transport: Transport) -> None:
        needs_bus(transport)
        with pytest.raises(EventRejectedError):
            transport.port.publish(an_event(raw_transcript="x" * 2_000_000))

        accepted = an_event()
        transport.port.publish(accepted)
        assert [arrival.event for arrival in transport.arrivals(1)] == [accepted]

    def test_a_bus_that_is_away_may_be_tried_again(self, transport: Transport) -> None:
        needs_bus(transport)
        assert transport.unreachable

        with pytest.raises(EventBusUnavailableError):
            transport.unreachable.publish(an_event())

    def test_an_event_for_an_unknown_bus_reaches_nobody(self, transport: Transport) -> None:
        needs_bus(transport)
        assert transport.to_unknown_bus

        if transport.delivery.unknown_bus_is_refused:
            with pytest.raises(EventBusUnavailableError):
                transport.to_unknown_bus.publish(an_event())
        else:
            assert transport.to_unknown_bus.publish(an_event()).status is PublicationStatus.PUBLISHED

        afterwards = an_event()
        transport.port.publish(afterwards)
        assert [arrival.event for arrival in transport.arrivals(1)] == [afterwards]


def needs_arrivals(transport: Transport) -> None:
    """Skip where the transport keeps no events."""
    if not transport.delivery.keeps_events:
        pytest.skip("this transport keeps no events")


def needs_bus(transport: Transport) -> None:
    """Skip where the transport has no external bus."""
    if not transport.delivery.has_bus:
        pytest.skip("this transport has no bus that could refuse")


def arrived_events(transport: Transport, count: int) -> dict[object, SentEvent]:
    """Return the events that arrived, without duplicates."""
    return {arrival.event.interaction_id: arrival.event for arrival in transport.arrivals(count)}
