"""Publishing switched off (requirement 9.5 and 10.6)."""

import logging

from domain.model.events import BatchProcessingCompleted, Publication, PublicationStatus
from ports.event_port import EventPort

logger = logging.getLogger(__name__)


class NoOpEventPublisher(EventPort):
    """Accepts every event and keeps none; says so once, here, and the service says so for each request."""

    def __init__(self, reason: str) -> None:
        logger.warning("event publishing is disabled", extra={"reason": reason})

    def publish(self, event: BatchProcessingCompleted, /, *, labels: tuple[str, ...] = ()) -> Publication:  # noqa: ARG002 - nothing is kept
        """Keep nothing."""
        return Publication(PublicationStatus.DISABLED)
