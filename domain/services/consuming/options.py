"""Options of a consumer."""

from dataclasses import dataclass

from domain.model.clock import SECONDS_PER_DAY
from domain.model.route.route import VISIBILITY_SECONDS

LEASE_FACTOR = 2
"""Lease duration in visibility timeouts: after a crash the message reappears before its lease expires."""


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """Number of threads, timeouts, and the end of a run."""

    threads: int = 8  # number of handlers that run at once
    # seconds for which a received message is hidden; extended while it is in flight
    visibility_timeout: int = VISIBILITY_SECONDS
    handler_timeout: float = 900.0  # seconds after which a running handler counts as stuck
    shutdown_timeout: float = 25.0  # seconds for which running handlers may continue after a stop
    retry_delay: float = 30.0  # the longest delay after a first failure, in seconds; later ones grow
    # days for which duplicates are recognised; a message can spend 14 days in the queue and 14 in the
    # dead-letter queue
    dedup_days: float = 28.0
    max_messages: int | None = None  # end after that many events; None for no limit
    drain: bool = False  # end once the queue is empty

    @property
    def ends_by_itself(self) -> bool:
        """True if the run ends without a stop."""
        return self.drain or self.max_messages is not None

    @property
    def lease_seconds(self) -> float:
        """Seconds until a processing lease expires, unless it is renewed."""
        return float(LEASE_FACTOR * self.visibility_timeout)

    @property
    def retention_seconds(self) -> float:
        """Seconds for which duplicates are recognised."""
        return self.dedup_days * SECONDS_PER_DAY
