"""What somebody has to do now and then: say how many events wait, and forget what may be forgotten."""

import logging
from threading import Event

from domain.model.errors import IdempotencyUnavailableError, OutboxUnavailableError
from domain.model.outbox import OutboxCounts
from ports.idempotency_port import IdempotencyPort
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)

EVERY_SECONDS = 60.0

LATE_SECONDS = 300.0
"""An event that waits for longer is worth a warning: the bus is away, or nobody relays."""


class Housekeeping:
    """Logs the outbox's counts and the age of its oldest event, and erases idempotency keys that are over.

    Any number of processes may keep house on the same stores.
    """

    def __init__(self, outbox: OutboxPort, idempotency: IdempotencyPort) -> None:
        self._outbox = outbox
        self._idempotency = idempotency

    def run(self, stop: Event, *, every_seconds: float = EVERY_SECONDS) -> None:
        """Do one round now and then, until `stop` is set."""
        while not stop.wait(every_seconds):
            self.round()

    def round(self) -> None:
        """Do everything once; what fails is logged, and tried again with the next round."""
        try:
            _tell(self._outbox.counts())
            self._idempotency.prune()
        except (OutboxUnavailableError, IdempotencyUnavailableError) as error:
            logger.warning("housekeeping failed", extra={"error": str(error)})


def _tell(counts: OutboxCounts) -> None:
    late = counts.oldest_waiting_seconds > LATE_SECONDS
    logger.log(
        logging.WARNING if late or counts.rejected else logging.INFO,
        "outbox",
        extra={
            "waiting": counts.waiting,
            "rejected": counts.rejected,
            "published": counts.published,
            "oldest_waiting_seconds": round(counts.oldest_waiting_seconds, 1),
        },
    )
