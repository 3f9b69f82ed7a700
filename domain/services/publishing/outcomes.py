"""One attempt at publishing leased events, and what is to be recorded of it."""

import logging
from collections.abc import Sequence
from random import Random

from domain.model.errors import (
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventPublishError,
    EventRejectedError,
)
from domain.model.events.event import BatchProcessingCompleted, Publication, PublicationStatus
from domain.model.outbox import EventLease, Outcome, Postponed, Published, Rejected
from domain.services.resilience.backoff import Backoff
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import EventPort, PublishOutcome

logger = logging.getLogger(__name__)

RETRY = Backoff()
"""The delay before a published event that failed is tried again."""


def publish_safely(
    events: EventPort, batch: Sequence[BatchProcessingCompleted]
) -> tuple[PublishOutcome, ...]:
    """Publish, with an outcome for each event whatever happens: a defect must not end who delivers events."""
    try:
        outcomes = events.publish_all(batch)
        if len(outcomes) == len(batch):
            return outcomes
        failure = EventBusUnavailableError(f"{len(outcomes)} outcomes came back for {len(batch)} events")
    except Exception as error:
        logger.exception("publishing broke down", extra={"error_type": type(error).__name__})
        failure = EventBusUnavailableError(f"publishing broke down: {type(error).__name__}")
    return (failure,) * len(batch)


def update_breaker(breaker: CircuitBreaker, answers: Sequence[PublishOutcome]) -> None:
    """What one call shows of the bus: an accepted event, that it is there; a wrong event, nothing."""
    if any(isinstance(answer, Publication) for answer in answers):
        breaker.succeeded()
        return
    troubles = [answer for answer in answers if isinstance(answer, EventBusUnavailableError)]
    if troubles and isinstance(troubles[-1], EventBusRefusesUsError):
        breaker.trip(str(troubles[-1]))
    elif troubles:
        breaker.failed(str(troubles[-1]))


def outcome_for(lease: EventLease, outcome: PublishOutcome, random: Random) -> Outcome:
    """What the outbox is to know of one outcome.

    Only what is wrong with the event itself rejects it. Where we are refused, whatever we send, the event is
    as good as it was, and waits without a failed attempt.
    """
    match outcome:
        case Publication(PublicationStatus.PUBLISHED, event_id):
            return Published(lease, str(event_id))
        case EventRejectedError():
            return Rejected(lease, str(outcome))
        case EventBusRefusesUsError():
            return Postponed(lease, 0.0, str(outcome), is_attempt=False)
        case EventPublishError():
            return Postponed(lease, RETRY.delay(lease.attempts, random), str(outcome))
    return Postponed(lease, RETRY.delay(lease.attempts, random), f"the transport answered {outcome.status}")


def log_outcome(outcome: Outcome, source: str) -> None:
    """Tell what became of an event whose caller was answered before (requirements 12.1 to 12.3 and 12.6)."""
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
