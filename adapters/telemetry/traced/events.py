"""Spans of events: their creation, their way to the bus, and their handling.

Names, kinds and attributes are those of OpenTelemetry's conventions for messaging; the system of EventBridge
has no name there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import EventPublishError
from domain.model.events.sent import SentEvent, StoredEvent
from domain.model.outbox import EventLease, EventStatus, OutboxCounts, OutboxRecord, OutboxState, Outcome
from ports.event_handler_port import EventHandlerPort
from ports.event_port import EventPort, PublishOutcome, Traceparents
from ports.outbox_port import OutboxPort
from ports.trace_port import Span, SpanAttributes, SpanKind, TracePort


def _messaging(operation: str, destination: str, **attributes: str | int) -> SpanAttributes:
    return {
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": destination,
        **{f"messaging.{name}": value for name, value in attributes.items()},
    }


class TracedOutbox(OutboxPort):
    """Records the creation of each event that is added, and has its context stored with the event."""

    def __init__(self, outbox: OutboxPort, trace: TracePort, bus: str) -> None:
        self._outbox = outbox
        self._trace = trace
        self._bus = bus

    def add(
        self, event: StoredEvent, /, *, lease_seconds: float = 0.0, traceparent: str | None = None
    ) -> EventLease:
        """Add an event inside of a span, whose context is the event's."""
        attributes = {
            **_messaging("create", self._bus),
            "messaging.message.id": str(event.interaction_id),
        }
        name, kind = f"create {self._bus}", SpanKind.PRODUCER
        with self._trace.span(name, kind, attributes=attributes, parent=traceparent) as span:
            return self._outbox.add(event, lease_seconds=lease_seconds, traceparent=span.traceparent)

    def lease_due(self, limit: int, /, *, lease_seconds: float) -> tuple[EventLease, ...]:
        """Lease events."""
        return self._outbox.lease_due(limit, lease_seconds=lease_seconds)

    def record(self, outcomes: Sequence[Outcome], /) -> int:
        """Record outcomes."""
        return self._outbox.record(outcomes)

    def counts(self) -> OutboxCounts:
        """Count the events."""
        return self._outbox.counts()

    def seconds_until_due(self) -> float | None:
        """Return the time until an event is due."""
        return self._outbox.seconds_until_due()

    def find(self, interaction_id: UUID, /) -> OutboxRecord | None:
        """Return the record of an event."""
        return self._outbox.find(interaction_id)

    def statuses(self, interaction_ids: Sequence[UUID], /) -> Mapping[UUID, EventStatus]:
        """Return the states of events."""
        return self._outbox.statuses(interaction_ids)

    def records(self, state: OutboxState | None = None, /, *, limit: int = 100) -> tuple[OutboxRecord, ...]:
        """Return records."""
        return self._outbox.records(state, limit=limit)

    def retry(self, interaction_ids: Sequence[UUID] | None = None, /) -> int:
        """Make events due."""
        return self._outbox.retry(interaction_ids)

    def purge_payloads(self, limit: int, /) -> int:
        """Delete transcripts."""
        return self._outbox.purge_payloads(limit)

    def prune(self, *, older_than_days: float, rejected: bool = False) -> int:
        """Delete events."""
        return self._outbox.prune(older_than_days=older_than_days, rejected=rejected)


class TracedEventPublisher(EventPort):
    """Records a span for each call, linked to the creations of its events.

    A relay sends events of many requests, and later: its span continues none of them. With `continues` the
    span of a single event is part of the trace of its request, which waits for it.
    """

    def __init__(self, events: EventPort, trace: TracePort, bus: str, *, continues: bool = False) -> None:
        self._events = events
        self._trace = trace
        self._bus = bus
        self._continues = continues

    @property
    def batch_size(self) -> int:
        """Return the transport's."""
        return self._events.batch_size

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        """Publish inside of a span, which is the context of the events if they have none."""
        has_contexts = any(traceparents)
        is_continued = self._continues and len(events) == 1 and has_contexts
        with self._trace.span(
            f"send {self._bus}",
            SpanKind.CLIENT if has_contexts else SpanKind.PRODUCER,
            attributes={**_messaging("send", self._bus), "messaging.batch.message_count": len(events)},
            parent=traceparents[0] if is_continued else None,
            links=traceparents,
        ) as span:
            contexts = traceparents if has_contexts else (span.traceparent,) * len(events)
            outcomes = self._events.publish_all(events, labels=labels, traceparents=contexts)
            _tell_failures(span, outcomes)
            return outcomes


def _tell_failures(span: Span, outcomes: Sequence[PublishOutcome]) -> None:
    failures = [outcome for outcome in outcomes if isinstance(outcome, EventPublishError)]
    if failures:
        span.fail(type(failures[0]).__name__)


class TracedEventHandler(EventHandlerPort):
    """Records a span for each event, linked to its creation; the handler gets the span's context."""

    def __init__(self, handler: EventHandlerPort, trace: TracePort, queue: str) -> None:
        self._handler = handler
        self._trace = trace
        self._queue = queue

    def handle(self, received: ReceivedEvent, /) -> None:
        """Handle the event inside of a span."""
        attributes = {
            **_messaging("process", self._queue, system="aws_sqs"),
            "messaging.message.id": str(received.event.interaction_id),
        }
        name, links = f"process {self._queue}", (received.traceparent,)
        with self._trace.span(name, SpanKind.CONSUMER, attributes=attributes, links=links) as span:
            self._handler.handle(replace(received, traceparent=span.traceparent))

    def abort(self) -> None:
        """Interrupt running calls."""
        self._handler.abort()
