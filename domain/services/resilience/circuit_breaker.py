"""Circuit breaker: stops calls to a dependency that fails, such as the bus or the handler of a consumer."""

from threading import Lock

DEFAULT_THRESHOLD = 5
"""Failures in a row that open the breaker."""


class CircuitBreaker:
    """Closed while calls succeed; open, with a reason, while calls would only cost time.

    Failed calls trip it, and the next success closes it. A broken route holds it open until `release`: no
    success closes it, because a bus without our rule accepts events too. Safe to use from several threads.
    """

    def __init__(self, threshold: int = DEFAULT_THRESHOLD) -> None:
        self._threshold = threshold
        self._lock = Lock()
        self._failures = 0
        self._tripped: str | None = None
        self._held: str | None = None

    def failed(self, reason: str) -> None:
        """Count a failure, and open the breaker after as many in a row as the threshold."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._threshold:
                self._tripped = reason

    def trip(self, reason: str) -> None:
        """Open the breaker at once, after a failure that is sure to happen again."""
        with self._lock:
            self._tripped = reason

    def succeeded(self) -> None:
        """Close the breaker unless it is held, and count failures from zero."""
        with self._lock:
            self._failures, self._tripped = 0, None

    def hold(self, reason: str) -> None:
        """Keep the breaker open until it is released."""
        self._held = reason

    def release(self) -> None:
        """End the hold; a tripped breaker stays open."""
        self._held = None

    @property
    def held(self) -> str | None:
        """Reason of the hold; None if the breaker is not held."""
        return self._held

    @property
    def reason(self) -> str | None:
        """Reason why the breaker is open; None while it is closed."""
        return self._held or self._tripped

    @property
    def is_open(self) -> bool:
        """True while no call should be made."""
        return self.reason is not None
