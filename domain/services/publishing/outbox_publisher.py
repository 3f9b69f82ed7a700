"""Transactional outbox: stores each event, tries the bus at once, and leaves the rest to the relay."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from random import Random

from domain.model.errors import EventBusUnavailableError, InteractionIdTakenError, OutboxUnavailableError
from domain.model.events.event import (
    DEFAULT_EVENT_SOURCE,
    BatchProcessingCompletedV2,
    Publication,
    PublicationStatus,
)
from domain.model.events.sent import SentEvent, StoredEvent
from domain.model.outbox import EventLease
from domain.services.publishing.inline_sender import InlineSender, error_context
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import EventPort, PublishOutcome, Traceparents, contexts_for
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)

DEFAULT_TIMEOUT_SECONDS = 2.0
"""Longest wait of a caller for the bus."""

LEASE_SECONDS = 30.0
"""Lease of the inline attempt, during which the relay leaves the event alone: longer than the attempt takes.

A call takes the event within 3 s. Once a topic is looked up (4.5 s), the bus may refuse the event as too
large (2 tries of 1 + 1.5 s, a pause of 1 s); its transcripts are stored (1 + 4 s), and the bus is called
again: 24.5 s.
"""

QUEUED = Publication(PublicationStatus.QUEUED)


class OutboxPublisher(EventPort):
    """Event port of the callers: stores events in the outbox before it tries the bus, and so loses none.

    The bus is tried once, within `timeout_seconds`. The outcome is:

    - `PUBLISHED`: the bus accepted the event in time.
    - `QUEUED`: the event is stored, and the relay delivers it: after a time-out, after a failure of the bus,
      and, without a try, while the circuit breaker is open.
    - `EventRejectedError`: the bus will never accept the event. It is parked in the outbox until an operator
      retries it, so callers are told `failed`.
    - `InteractionIdTakenError`: another event with this interaction id is stored.
    - `EventBusUnavailableError`: neither outbox nor bus took the event.

    An event with labels, or of a version that refers to its transcripts, goes to the bus without being
    stored: the outbox stores neither.
    """

    def __init__(
        self,
        outbox: OutboxPort,
        events: EventPort,
        breaker: CircuitBreaker,
        *,
        wake: Callable[[], None],  # tells the relay that there is work
        source: str = DEFAULT_EVENT_SOURCE,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
        executor: Executor | None = None,  # runs the calls to the bus; closed with the publisher
        random: Random | None = None,
    ) -> None:
        self._outbox = outbox
        self._events = events
        self._breaker = breaker
        self._wake = wake
        self._source = source
        self._timeout_seconds = timeout_seconds
        self._lease_seconds = lease_seconds
        self._sender = InlineSender(
            outbox, events, breaker, wake=wake, source=source, executor=executor, random=random
        )

    def close(self) -> None:
        """Wait until all calls have ended and their outcomes are recorded."""
        self._sender.close()

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        """Publish the events one after the other."""
        contexts = contexts_for(events, traceparents)
        return tuple(
            self._outcome(event, labels, context) for event, context in zip(events, contexts, strict=True)
        )

    def _outcome(self, event: SentEvent, labels: tuple[str, ...], traceparent: str | None) -> PublishOutcome:
        try:
            return self._publish(event, labels, traceparent)
        except InteractionIdTakenError as error:
            return error

    def _publish(self, event: SentEvent, labels: tuple[str, ...], traceparent: str | None) -> PublishOutcome:
        if labels or isinstance(event, BatchProcessingCompletedV2):
            return self._events.publish_all((event,), labels=labels, traceparents=(traceparent,))[0]
        tries = not self._breaker.is_open
        lease = self._store(event, self._lease_seconds if tries else 0.0, traceparent)
        if lease is None:
            return self._without_outbox(event)
        if tries:
            return self._publish_now(lease)
        self._wake()
        return QUEUED

    def _store(self, event: StoredEvent, lease_seconds: float, traceparent: str | None) -> EventLease | None:
        try:
            return self._outbox.add(event, lease_seconds=lease_seconds, traceparent=traceparent)
        except OutboxUnavailableError as error:
            logger.error(  # noqa: TRY400 - an expected outage; requirement 10.5 is about publishing
                "the event could not be stored, only the bus is tried", extra=error_context(event, error)
            )
            return None

    def _publish_now(self, lease: EventLease) -> PublishOutcome:
        outcome = self._sender.publish(lease.event, lease, timeout_seconds=self._timeout_seconds)
        if not isinstance(outcome, EventBusUnavailableError):
            return outcome
        self._log_failure(lease.event, outcome)
        return QUEUED

    def _log_failure(self, event: StoredEvent, error: EventBusUnavailableError) -> None:
        """Log the failure with the transport's stack trace, although the event is stored (requirement 10)."""
        context = {
            **error_context(event, error),
            "source": self._source,
            "event_status": QUEUED.status.value,
            "detail_type": event.DETAIL_TYPE,
        }
        logger.error("event publishing failed, the event is kept", exc_info=error, extra=context)

    def _without_outbox(self, event: StoredEvent) -> PublishOutcome:
        """Try the bus even while the circuit breaker is open, unless the route would drop the event."""
        if self._breaker.held:
            return EventBusUnavailableError(f"outbox unavailable, and {self._breaker.held}")
        return self._sender.publish(event, None, timeout_seconds=self._timeout_seconds)
