"""Outcome recorder: writes dispatch outcomes to the outbox, and keeps those that could not be written."""

import logging
from collections.abc import Sequence

from domain.model.errors import OutboxUnavailableError
from domain.model.outbox import Outcome
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)


class OutcomeRecorder:
    """Records outcomes together, and again after a failure: nothing may be sent while some are unrecorded.

    Opens the callers' circuit breaker when the outbox cannot record.
    """

    def __init__(self, outbox: OutboxPort, breaker: CircuitBreaker) -> None:
        self._outbox = outbox
        self._breaker = breaker
        self._unrecorded: list[Outcome] = []

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Keep outcomes for the next `record`."""
        self._unrecorded += outcomes

    def record(self) -> None:
        """Record the outcomes that were added; after a failure they are kept, and the error is raised."""
        if not self._unrecorded:
            return
        try:
            self._outbox.record(self._unrecorded)
        except Exception:
            self._breaker.trip("outcomes of published events cannot be recorded")
            raise
        self._unrecorded = []

    def record_last(self) -> None:
        """Record before the relay ends, and log how many events will be sent again if that fails."""
        try:
            self.record()
        except OutboxUnavailableError as error:
            logger.exception(
                "outcomes not recorded, published events will be sent again",
                extra={"events": len(self._unrecorded), "error": str(error)},
            )
