"""Lease size and delays of the relay: adapted to transcript lengths and to failures of the bus."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from random import Random
from typing import NamedTuple

from domain.model.outbox import EventLease
from domain.services.relay.dispatcher import DispatchResult, text_length
from domain.services.resilience.backoff import Backoff
from ports.event_port import MAX_BATCH

logger = logging.getLogger(__name__)

PAUSE = Backoff()
"""The delay after failures of the bus or of the outbox."""

MAX_SLOWDOWN = 2
"""Doublings of the delay while most events are refused: calls are at most 4 seconds apart."""

BATCH = 500
"""Largest number of events leased at once."""

PROBE_BATCH = 100
"""Largest number of events leased while the relay is paused."""

FIRST_BATCH = 50
"""Number of events leased first, while the length of their transcripts is unknown."""

LEASE_CHARACTERS = 6 * 2**20
"""Approximate text leased at once: bounds the memory that long transcripts take."""

MAX_IN_FLIGHT = 4
"""Batches in flight: while one of long transcripts is leased or recorded, others are sent."""


class PauseCause(StrEnum):
    """Part whose failure pauses a relay."""

    ROUTE = "route"
    """The route drops events, or has not been checked yet."""
    BUS = "bus"
    OUTBOX = "outbox"
    RELAY = "relay"
    """The relay itself: an unexpected error."""


class RelayFailure(NamedTuple):
    """A failure of bus or outbox."""

    reason: str
    at: datetime


class RelayBackoff:
    """Delays between the steps of a relay, by the results of its batches."""

    def __init__(self, random: Random, now: Callable[[], datetime]) -> None:
        self._random = random
        self._now = now
        self._failures = 0
        self._slowdown = -1
        self.paused_reason: str | None = None  # the failure that the relay waits out; None while it works
        self.paused_by: PauseCause | None = None  # the part that failed; None while the relay works
        self.last_failure: RelayFailure | None = None  # the last failure; None once all went well again

    def delay_after(self, result: DispatchResult) -> float:
        """Return the seconds to wait after a batch."""
        if not result.accepted:
            return max(self.failed(result.failure), result.retry_after_seconds) if result.refused else 0.0
        self.succeeded()
        if result.refused:
            self.last_failure = RelayFailure(result.failure, self._now())
        return self._slow_down() if result.refused > result.accepted else self._full_speed()

    def failed(self, reason: str, cause: PauseCause = PauseCause.BUS) -> float:
        """Return the seconds to wait after bus or outbox failed; log only the first failure in a row."""
        if self.paused_reason is None:
            logger.error("relay paused", extra={"error": reason})
        self.paused_reason, self.paused_by = reason, cause
        self.last_failure = RelayFailure(reason, self._now())
        self._failures += 1
        return PAUSE.delay(self._failures, self._random)

    def succeeded(self) -> None:
        """End the pause, if there is one, and forget the last failure."""
        if self.paused_reason is not None:
            logger.info("relay resumed", extra={"after": self.paused_reason})
        self.paused_reason, self.paused_by = None, None
        self.last_failure, self._failures = None, 0

    def _slow_down(self) -> float:
        """Return a delay that grows with each batch in a row of which most events were refused."""
        self._slowdown = min(self._slowdown + 1, MAX_SLOWDOWN)
        return PAUSE.delay(self._slowdown, self._random)

    def _full_speed(self) -> float:
        self._slowdown = -1
        return 0.0


class LeaseSizer:
    """Batch sizes that keep the bus busy and memory bounded, by the length of the last leased events."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._mean_length = LEASE_CHARACTERS / FIRST_BATCH

    def observe(self, leases: Sequence[EventLease]) -> None:
        """Measure the mean length of leased events."""
        self._mean_length = sum(map(text_length, leases)) / len(leases)

    def limit(self, *, is_paused: bool) -> int:
        """Return how many events to lease; during a pause, enough to find some that do not cause it."""
        limit = min(PROBE_BATCH, self._batch) if is_paused else self._batch
        return min(limit, max(MAX_BATCH, int(LEASE_CHARACTERS / self._mean_length)))

    def max_in_flight(self, limit: int) -> int:
        """Return how many batches of that size may be in flight: together two of the largest at most."""
        return min(MAX_IN_FLIGHT, max(2, 2 * self._batch // limit))
