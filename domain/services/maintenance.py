"""Periodic maintenance: logs outbox counts, deletes expired idempotency keys, purges old transcripts."""

import logging
from contextlib import AbstractContextManager
from threading import Event

from domain.model.errors import IdempotencyUnavailableError, OutboxUnavailableError
from domain.model.outbox import OutboxCounts
from domain.services.resilience.background import logging_outages
from ports.idempotency_port import IdempotencyPort
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)

EVERY_SECONDS = 60.0

PURGE_BATCH = 100
"""Events whose transcripts are purged in one transaction."""

PAUSE_SECONDS = 0.05
"""Pause between two such transactions, for other writers."""


class Housekeeping:
    """Maintenance of outbox and idempotency keys; any number of processes may run it on the same stores."""

    def __init__(self, outbox: OutboxPort, idempotency: IdempotencyPort) -> None:
        self._outbox = outbox
        self._idempotency = idempotency

    def run(self, stop: Event, *, every_seconds: float = EVERY_SECONDS) -> None:
        """Clean up at once, for processes that end soon, then run everything periodically until `stop`."""
        self._clean_up(stop)
        while not stop.wait(every_seconds):
            self.run_once(stop)

    def run_once(self, stop: Event) -> None:
        """Log the counts and clean up; failures are logged, and the next run tries again."""
        with _logging_failures():
            _log_counts(self._outbox.counts())
        self._clean_up(stop)

    def _clean_up(self, stop: Event) -> None:
        with _logging_failures():
            self._idempotency.prune()
        with _logging_failures():
            self._purge_payloads(stop)

    def _purge_payloads(self, stop: Event) -> None:
        """Purge in small batches: after a change of the configuration, many events may be due at once."""
        purged = batch = self._outbox.purge_payloads(PURGE_BATCH)
        while batch == PURGE_BATCH and not stop.wait(PAUSE_SECONDS):
            batch = self._outbox.purge_payloads(PURGE_BATCH)
            purged += batch
        if purged:
            logger.info("transcripts of published events purged", extra={"events": purged})


def _logging_failures() -> AbstractContextManager[None]:
    outages = (OutboxUnavailableError, IdempotencyUnavailableError)
    return logging_outages("housekeeping failed", outages, unexpected="unexpected error in housekeeping")


def _log_counts(counts: OutboxCounts) -> None:
    logger.log(
        logging.WARNING if counts.is_late or counts.rejected else logging.INFO,
        "outbox",
        extra={
            "waiting": counts.waiting,
            "rejected": counts.rejected,
            "published": counts.published,
            "oldest_waiting_seconds": round(counts.oldest_waiting_seconds, 1),
        },
    )
