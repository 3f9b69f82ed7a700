"""Outcomes of one call to the bus: for the outbox, for the circuit breaker and for the log."""

import logging
from collections.abc import Sequence
from random import Random

from domain.model.errors import (
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventPublishError,
    EventRejectedError,
)
from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import StoredEvent
from domain.model.outbox import EventLease, Outcome, Postponed, Published, Rejected
from domain.services.resilience.backoff import Backoff
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import EventPort, PublishOutcome, Traceparents

logger = logging.getLogger(__name__)

RETRY = Backoff()
"""Delay before an event that failed is sent again."""


def publish_safely(
    events: EventPort, batch: Sequence[StoredEvent], traceparents: Traceparents = ()
) -> tuple[PublishOutcome, ...]:
    """Publish events and return an outcome for each, even if the transport raises an unexpected error."""
    try:
        outcomes = events.publish_all(batch, traceparents=traceparents)
        if len(outcomes) == len(batch):
            return outcomes
        failure = EventBusUnavailableError(
            f"the transport returned {len(outcomes)} outcomes for {len(batch)} events"
        )
    except Exception as error:
        logger.exception("unexpected error in the transport", extra={"error_type": type(error).__name__})
        failure = EventBusUnavailableError(f"unexpected error in the transport: {type(error).__name__}")
        failure.__cause__ = error
    return (failure,) * len(batch)


def update_breaker(breaker: CircuitBreaker, answers: Sequence[PublishOutcome]) -> None:
    """Close the breaker after an accepted event, and count a failed call; a rejected event shows nothing.

    A bus that refuses all our events, or asks to wait, opens it at once.
    """
    if any(isinstance(answer, Publication) for answer in answers):
        breaker.succeeded()
        return
    failures = [answer for answer in answers if isinstance(answer, EventBusUnavailableError)]
    if failures and (isinstance(failures[-1], EventBusRefusesUsError) or failures[-1].retry_after_seconds):
        breaker.trip(str(failures[-1]))
    elif failures:
        breaker.failed(str(failures[-1]))


def outcome_for(lease: EventLease, outcome: PublishOutcome, random: Random) -> Outcome:
    """Translate an outcome of the transport for the outbox.

    Only a fault of the event itself rejects it. If the bus refuses all our events, the event waits, and the
    attempt does not count as failed.
    """
    match outcome:
        case Publication(PublicationStatus.PUBLISHED, event_id):
            return Published(lease, str(event_id))
        case EventRejectedError():
            return Rejected(lease, str(outcome))
        case EventBusRefusesUsError():
            return Postponed(lease, 0.0, str(outcome), is_attempt=False)
        case EventBusUnavailableError():
            delay = max(RETRY.delay(lease.attempts, random), outcome.retry_after_seconds)
            return Postponed(lease, delay, str(outcome))
        case EventPublishError():
            return Postponed(lease, RETRY.delay(lease.attempts, random), str(outcome))
    return Postponed(lease, RETRY.delay(lease.attempts, random), f"the transport answered {outcome.status}")


def log_outcome(outcome: Outcome, source: str) -> None:
    """Log the outcome of an event whose caller was answered before (requirements 12.1 to 12.3 and 12.6)."""
    event = outcome.lease.event
    context = {
        "interaction_id": str(event.interaction_id),
        "source": source,
        "detail_type": event.DETAIL_TYPE,
    }
    match outcome:
        case Published(_, event_id):
            logger.info("event published", extra={**context, "event_id": event_id})
        case Rejected(_, reason):
            logger.error(
                "event rejected, it is parked until it is retried", extra={**context, "error": reason}
            )
        case Postponed(_, _, reason):
            logger.debug("event postponed", extra={**context, "error": reason})
