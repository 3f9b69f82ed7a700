"""Events on their way: kept durably first, then tried at once, then left to the relay."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

from domain.model.errors import (
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventRejectedError,
    OutboxUnavailableError,
)
from domain.model.events import (
    DEFAULT_EVENT_SOURCE,
    BatchProcessingCompleted,
    CompletedEvent,
    Publication,
    PublicationStatus,
)
from domain.model.outbox import Claim, Outcome, Postponed
from domain.services.attempts import attempt, log_settlement, settlement
from domain.services.circuit_breaker import CircuitBreaker
from ports.event_port import EventPort, PublishOutcome
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)

DEFAULT_TIMEOUT_SECONDS = 2.0
"""How long a caller waits for the bus."""

LEASE_SECONDS = 15.0
"""For how long the relay leaves an event to the inline attempt: longer than the bus's client ever tries."""

THREADS = 16
"""How many inline attempts may be under way at once."""

QUEUED = Publication(PublicationStatus.QUEUED)


class EventDelivery(EventPort):
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
        threads: int = THREADS,
        random: Random | None = None,
    ) -> None:
        self._outbox = outbox
        self._events = events
        self._breaker = breaker
        self._wake = wake
        self._source = source
        self._timeout_seconds = timeout_seconds
        self._lease_seconds = lease_seconds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="inline-attempt")
        self._random = random or Random()  # noqa: S311 - spreads retries, keeps no secret

    def close(self) -> None:
        """Wait for the attempts that are under way, so that what they reach is recorded."""
        self._threads.shutdown()

    def publish_all(
        self, events: Sequence[CompletedEvent], /, *, labels: tuple[str, ...] = ()
    ) -> tuple[PublishOutcome, ...]:
        """Deliver the events, one after the other."""
        return tuple(self._deliver(event, labels) for event in events)

    def _deliver(self, event: CompletedEvent, labels: tuple[str, ...]) -> PublishOutcome:
        if labels or not isinstance(event, BatchProcessingCompleted):
            return self._events.publish_all((event,), labels=labels)[0]
        tries = not self._breaker.is_open
        claim = self._keep(event, self._lease_seconds if tries else 0.0)
        if claim is None:
            return self._without_outbox(event)
        if tries:
            return self._try(claim)
        self._wake()
        return QUEUED

    def _keep(self, event: BatchProcessingCompleted, lease_seconds: float) -> Claim | None:
        try:
            return self._outbox.add(event, lease_seconds=lease_seconds)
        except OutboxUnavailableError as error:
            logger.exception("the event could not be kept, only the bus is left", extra=_about(event, error))
            return None

    def _try(self, claim: Claim) -> PublishOutcome:
        answered = _Answered()
        future = self._threads.submit(self._attempt, claim, answered)
        try:
            outcome = future.result(self._timeout_seconds)
        except TimeoutError:
            answered.already = True
            late = EventBusUnavailableError(f"the bus did not answer within {self._timeout_seconds} s")
            self._breaker.failed(str(late))
            self._log_failure(claim, late)
            if future.cancel():  # it has not begun, so nobody else will record anything
                self._leave_to_relay(Postponed(claim, 0.0, "no inline attempt was made", is_attempt=False))
            return QUEUED
        self._tell_breaker(outcome)
        if not isinstance(outcome, EventBusUnavailableError):
            return outcome
        self._log_failure(claim, outcome)
        return QUEUED

    def _attempt(self, claim: Claim, answered: "_Answered") -> PublishOutcome:
        """Runs in a thread of its own: what comes too late for the caller is recorded all the same."""
        (outcome,) = attempt(self._events, (claim.event,))
        settled = settlement(claim, outcome, self._random)
        if answered.already:
            log_settlement(settled, self._source)
        if isinstance(settled, Postponed):
            self._leave_to_relay(settled)
        else:
            self._record(settled)
        return outcome

    def _log_failure(self, claim: Claim, error: EventBusUnavailableError) -> None:
        """An error to whoever watches the bus, although the event is safe (requirements 10.1 to 10.5)."""
        context = {**_about(claim.event, error), "source": self._source, "event_status": QUEUED.status.value}
        try:
            raise error  # outcomes are handed around, and have no stack trace of their own
        except EventBusUnavailableError:
            logger.exception(
                "event publishing failed, the event is kept",
                extra={**context, "detail_type": claim.event.DETAIL_TYPE},
            )

    def _without_outbox(self, event: BatchProcessingCompleted) -> PublishOutcome:
        """The bus is the last chance, so only a route that would drop the event keeps us from trying."""
        if self._breaker.held:
            return EventBusUnavailableError(f"the outbox cannot be had, and {self._breaker.held}")
        future = self._threads.submit(attempt, self._events, (event,))
        try:
            (outcome,) = future.result(self._timeout_seconds)
        except TimeoutError:
            future.cancel()
            outcome = EventBusUnavailableError(f"the bus did not answer within {self._timeout_seconds} s")
        self._tell_breaker(outcome)
        return outcome

    def _tell_breaker(self, outcome: PublishOutcome) -> None:
        match outcome:
            case EventRejectedError():
                return
            case EventBusRefusesUsError():
                self._breaker.trip(str(outcome))
            case EventBusUnavailableError():
                self._breaker.failed(str(outcome))
            case _:
                self._breaker.succeeded()

    def _leave_to_relay(self, postponed: Postponed) -> None:
        self._record(postponed)
        self._wake()

    def _record(self, outcome: Outcome) -> None:
        """A failure costs a duplicate at most: the lease ends, and the relay sends the event again."""
        try:
            self._outbox.record((outcome,))
        except OutboxUnavailableError as error:
            logger.exception("the outcome could not be recorded", extra=_about(outcome.claim.event, error))


class _Answered:
    """Whether the caller has gone."""

    already = False


def _about(event: BatchProcessingCompleted, error: Exception) -> dict[str, str]:
    return {
        "interaction_id": str(event.interaction_id),
        "error_type": type(error).__name__,
        "error": str(error),
    }
