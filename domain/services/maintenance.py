"""What somebody has to do now and then: say how many events wait, and drop what need not be kept."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from domain.model.errors import IdempotencyUnavailableError, OutboxUnavailableError
from domain.model.outbox import OutboxCounts
from domain.services.resilience.background import logging_exceptions
from ports.idempotency_port import IdempotencyPort
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)

EVERY_SECONDS = 60.0

LATE_SECONDS = 300.0
"""An event that waits for longer is worth a warning: the bus is away, or nobody relays."""

TEXTS_BATCH = 100
"""Events whose texts are dropped in one transaction."""
PAUSE_SECONDS = 0.05
"""Between two such transactions, for everybody else who writes."""


class Housekeeping:
    """Logs how many events wait, erases idempotency keys that are over, and drops texts kept long enough.

    Any number of processes may keep house on the same stores.
    """

    def __init__(self, outbox: OutboxPort, idempotency: IdempotencyPort) -> None:
        self._outbox = outbox
        self._idempotency = idempotency

    def run(self, stop: Event, *, every_seconds: float = EVERY_SECONDS) -> None:
        """Tidy up at once, for processes that end soon, and do a round now and then until `stop` is set."""
        self._tidy(stop)
        while not stop.wait(every_seconds):
            self.round(stop)

    def round(self, stop: Event) -> None:
        """Do everything once; what fails is logged, and tried again the next time."""
        with _failures_logged():
            _tell(self._outbox.counts())
        self._tidy(stop)

    def _tidy(self, stop: Event) -> None:
        with _failures_logged():
            self._idempotency.prune()
        with _failures_logged():
            self._purge_payloads(stop)

    def _purge_payloads(self, stop: Event) -> None:
        """Batch by batch: many may be over at once, after a change of the configuration."""
        dropped = batch = self._outbox.purge_payloads(TEXTS_BATCH)
        while batch == TEXTS_BATCH and not stop.wait(PAUSE_SECONDS):
            batch = self._outbox.purge_payloads(TEXTS_BATCH)
            dropped += batch
        if dropped:
            logger.info("texts of published events dropped", extra={"events": dropped})


@contextmanager
def _failures_logged() -> Iterator[None]:
    with logging_exceptions("housekeeping broke down"):
        try:
            yield
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
