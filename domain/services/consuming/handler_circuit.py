"""Circuit breaker of the handlers: opens when they fail for every event, so the cause is not the events."""

import logging
from random import Random
from threading import Lock

from domain.model.consuming.lease import EventKey
from domain.services.consuming.in_flight import InFlightMessage
from domain.services.resilience.backoff import Backoff
from domain.services.resilience.circuit_breaker import CircuitBreaker

logger = logging.getLogger(__name__)

PROBE_BACKOFF = Backoff(least=0.5)
"""Delays between the probes of an open circuit."""

MAX_TRIES_IN_FLIGHT = 10
"""Tries of one event during an outage before it goes back to the queue, where each receive counts."""

MAX_PROBES_BEFORE_END = 5
"""Failed probes, about half a minute, after which a run with an end of its own gives up."""


class OutageLog:
    """Logs once when the queue, the database or the handlers become unavailable, and once when they recover.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._reasons: dict[str, None] = {}  # those that were logged, in their order

    @property
    def is_on(self) -> bool:
        """True during an outage."""
        return bool(self._reasons)

    def begin(self, reason: str) -> None:
        """Log an outage, unless the same one was logged already; there may be several at once."""
        with self._lock:
            is_new = reason not in self._reasons
            self._reasons[reason] = None
        if is_new:
            logger.error("consumer paused", extra={"error": reason})

    def end(self) -> None:
        """Log the recovery, if there was an outage."""
        with self._lock:
            reasons, self._reasons = list(self._reasons), {}
        if reasons:
            logger.info("consumer resumed", extra={"after": reasons[-1]})


class HandlerCircuit:
    """Opens when as many different events as the breaker allows fail in a row, and closes with a success.

    While it is open, one event at a time is tried as a probe, after delays that double up to a minute. One
    event that fails again and again does not open it. Safe to use from several threads.
    """

    def __init__(self, breaker: CircuitBreaker | None = None, random: Random | None = None) -> None:
        self._breaker = breaker or CircuitBreaker()
        self._random = random or Random()  # noqa: S311 - spreads the probes of several consumers, keeps no secret
        self._log = OutageLog()
        self._lock = Lock()
        self._failing: set[EventKey] = set()
        self._is_probing = False
        self._next_probe_at = 0.0
        self.probes = 0  # number of failed probes since it opened

    @property
    def is_open(self) -> bool:
        """True while only probes may be handled."""
        return self._breaker.is_open

    def failed(self, key: EventKey, reason: str, now: float) -> bool:
        """Count each failed event once; return True if this failure opened the circuit."""
        with self._lock:
            if self.is_open or key in self._failing:
                return False
            self._failing.add(key)
            self._breaker.failed(reason)
            if not self.is_open:
                return False
            self.probes, self._next_probe_at = 0, now + self._delay()
            self._log.begin(f"{len(self._failing)} events failed in a row, the last one: {reason}")
            return True

    def succeeded(self) -> None:
        """Close the circuit; failures count from zero again."""
        if not self._failing:  # called for every event, so without the lock
            return
        with self._lock:
            self._failing.clear()
            self._breaker.succeeded()
            self._log.end()

    def begin_probe(self, now: float) -> bool:
        """Return True if the caller may try one event; no other thread may until `end_probe`."""
        with self._lock:
            if self._is_probing or now < self._next_probe_at:
                return False
            self._is_probing = True
            return True

    def end_probe(self, now: float, *, had_event: bool) -> None:
        """Allow the next probe after a delay, which grows only if there was an event to try."""
        with self._lock:
            self._is_probing = False
            self.probes += had_event
            self._next_probe_at = now + self._delay()

    def retains(self, message: InFlightMessage) -> bool:
        """Return True if a failed message stays in flight for its next try, which costs no receive then.

        One whose handler was stuck does not: its lease and its visibility timeout were not extended since.
        """
        is_held = message.is_extended and not message.is_stuck
        return self.is_open and is_held and message.tries < MAX_TRIES_IN_FLIGHT

    def _delay(self) -> float:
        return PROBE_BACKOFF.delay(self.probes, self._random)
