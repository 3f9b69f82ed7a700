"""Events on their way: kept durably first, then tried at once, then left to the relay."""

import logging
from collections.abc import Callable, Sequence
from random import Random

from domain.model.errors import EventBusUnavailableError, OutboxUnavailableError
from domain.model.events.event import (
    DEFAULT_EVENT_SOURCE,
    BatchProcessingCompleted,
    CompletedEvent,
    Publication,
    PublicationStatus,
)
from domain.model.outbox import EventLease
from domain.services.publishing.inline_sender import CALLS, InlineSender, about
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import EventPort, PublishOutcome
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)

DEFAULT_TIMEOUT_SECONDS = 2.0
"""How long a caller waits for the bus."""

LEASE_SECONDS = 15.0
"""For how long the relay leaves an event to the inline attempt: longer than the bus's client ever tries."""

QUEUED = Publication(PublicationStatus.QUEUED)


class OutboxPublisher(EventPort):
    """Takes the transport's place in front of callers, and loses no event.

    Each event is added to the outbox before the bus is tried, once, within `timeout_seconds`. The outcome is:

    - `PUBLISHED`: the bus accepted it in time.
    - `QUEUED`: it is kept, and the relay delivers it. So it is after a time-out, after a failure of the bus,
      and, without trying, while the circuit breaker is open.
    - `EventRejectedError`: the bus will never accept it as it is. It is parked in the outbox, but nobody may
      count on it, so that callers are told `failed`.
    - `EventBusUnavailableError`: neither the outbox nor the bus could be had.

    An event with labels, or of a version that refers to its transcripts, goes to the bus and is not kept: the
    outbox keeps neither.

    Args:
        wake: tells the relay that there is work.
    """

    def __init__(
        self,
        outbox: OutboxPort,
        events: EventPort,
        breaker: CircuitBreaker,
        *,
        wake: Callable[[], None],
        source: str = DEFAULT_EVENT_SOURCE,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
        calls: int = CALLS,
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
            outbox, events, breaker, wake=wake, source=source, calls=calls, random=random
        )

    def close(self) -> None:
        """Wait for the attempts that are under way, so that what they reach is recorded."""
        self._sender.close()

    def publish_all(
        self, events: Sequence[CompletedEvent], /, *, labels: tuple[str, ...] = ()
    ) -> tuple[PublishOutcome, ...]:
        """Deliver the events, one after the other."""
        return tuple(self._deliver(event, labels) for event in events)

    def _deliver(self, event: CompletedEvent, labels: tuple[str, ...]) -> PublishOutcome:
        if labels or not isinstance(event, BatchProcessingCompleted):
            return self._events.publish_all((event,), labels=labels)[0]
        tries = not self._breaker.is_open
        lease = self._store(event, self._lease_seconds if tries else 0.0)
        if lease is None:
            return self._without_outbox(event)
        if tries:
            return self._publish_now(lease)
        self._wake()
        return QUEUED

    def _store(self, event: BatchProcessingCompleted, lease_seconds: float) -> EventLease | None:
        try:
            return self._outbox.add(event, lease_seconds=lease_seconds)
        except OutboxUnavailableError as error:
            logger.exception("the event could not be kept, only the bus is left", extra=about(event, error))
            return None

    def _publish_now(self, lease: EventLease) -> PublishOutcome:
        outcome = self._sender.answer(self._sender.begin(lease.event, lease), self._timeout_seconds)
        if not isinstance(outcome, EventBusUnavailableError):
            return outcome
        self._log_failure(lease, outcome)
        return QUEUED

    def _log_failure(self, lease: EventLease, error: EventBusUnavailableError) -> None:
        """An error to whoever watches the bus, although the event is safe (requirements 10.1 to 10.5)."""
        context = {**about(lease.event, error), "source": self._source, "event_status": QUEUED.status.value}
        try:
            raise error.with_traceback(None)  # handed around, and maybe shared: it has none of its own
        except EventBusUnavailableError:
            logger.exception(
                "event publishing failed, the event is kept",
                extra={**context, "detail_type": lease.event.DETAIL_TYPE},
            )

    def _without_outbox(self, event: BatchProcessingCompleted) -> PublishOutcome:
        """The bus is the last chance, so only a route that would drop the event keeps us from trying."""
        if self._breaker.held:
            return EventBusUnavailableError(f"the outbox cannot be had, and {self._breaker.held}")
        return self._sender.answer(self._sender.begin(event, None), self._timeout_seconds)
