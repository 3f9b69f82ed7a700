"""Whether it is worth trying now what has failed: the bus, or the handler of a consumer."""

from threading import Lock

DEFAULT_THRESHOLD = 5
"""So many failures in a row are no accident."""


class CircuitBreaker:
    """Closed while the bus takes events; open, with a reason, while trying it would only cost time.

    Two things open it. A trip is about what attempts met, and the next success closes it. A hold is about the
    route: a bus without our rule takes events too, so no success ends it, but only `release`. Safe to use
    from several threads.
    """

    def __init__(self, threshold: int = DEFAULT_THRESHOLD) -> None:
        self._threshold = threshold
        self._lock = Lock()
        self._failures = 0
        self._tripped: str | None = None
        self._held: str | None = None

    def failed(self, reason: str) -> None:
        """Count a failure; as many in a row as the threshold open the breaker."""
        with self._lock:
            self._failures += 1
            if self._failures >= self._threshold:
                self._tripped = reason

    def trip(self, reason: str) -> None:
        """Open at once: one failure was enough to know."""
        with self._lock:
            self._tripped = reason

    def succeeded(self) -> None:
        """Close, unless the breaker is held; failures count from zero again."""
        with self._lock:
            self._failures, self._tripped = 0, None

    def hold(self, reason: str) -> None:
        """Keep the breaker open until it is released."""
        self._held = reason

    def release(self) -> None:
        """End the hold; a trip stays."""
        self._held = None

    @property
    def held(self) -> str | None:
        """Why the breaker is held."""
        return self._held

    @property
    def reason(self) -> str | None:
        """Why the breaker is open; None while it is closed."""
        return self._held or self._tripped

    @property
    def is_open(self) -> bool:
        """Whether the bus is not to be tried."""
        return self.reason is not None
