"""Publishing switched off (requirement 9.5 and 10.6)."""

import logging
from collections.abc import Sequence

from domain.model.events.event import CompletedEvent, Publication, PublicationStatus
from ports.event_port import EventPort, PublishOutcome

logger = logging.getLogger(__name__)


class NoOpEventPublisher(EventPort):
    """Accepts every event and keeps none; says so once, here, and the service says so for each request."""

    def __init__(self, reason: str) -> None:
        logger.warning("event publishing is disabled", extra={"reason": reason})

    def publish_all(
        self,
        events: Sequence[CompletedEvent],
        /,
        *,
        labels: tuple[str, ...] = (),  # noqa: ARG002 - nothing is kept
    ) -> tuple[PublishOutcome, ...]:
        """Keep nothing."""
        return (Publication(PublicationStatus.DISABLED),) * len(events)
