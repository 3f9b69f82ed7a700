"""Disabled publishing (requirements 9.5 and 10.6)."""

import logging
from collections.abc import Sequence

from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from ports.event_port import EventPort, PublishOutcome, Traceparents

logger = logging.getLogger(__name__)


class NoOpEventPublisher(EventPort):
    """Accepts every event and stores none; logs that once, and the service logs it for each request."""

    def __init__(self, reason: str) -> None:
        logger.warning("event publishing is disabled", extra={"reason": reason})

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),  # noqa: ARG002 - the port's signature
        traceparents: Traceparents = (),  # noqa: ARG002 - same
    ) -> tuple[PublishOutcome, ...]:
        """Return DISABLED for each event."""
        return (Publication(PublicationStatus.DISABLED),) * len(events)
