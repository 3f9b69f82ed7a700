"""Whether handlers fail whatever they get: then the events are sound, and what the handlers need is away."""

from random import Random
from threading import Lock

from domain.model.consuming.lease import EventKey
from domain.services.consuming.in_flight import Delivery
from domain.services.consuming.trouble import Trouble
from domain.services.resilience.backoff import Backoff
from domain.services.resilience.circuit_breaker import CircuitBreaker

PROBE = Backoff(least=0.5)
"""The pause before an event is tried again during an outage."""

TRIES_IN_HAND = 10
"""So often an event is tried during an outage before it goes back to the queue, where each receive counts."""

TRIES_BEFORE_THE_END = 5
"""After so many, about half a minute, a run that is to end by itself does not wait any longer."""


class Outage:
    """Begins when as many different events as the breaker allows failed in a row, and ends with a success.

    While it lasts, one event at a time is tried, after pauses that double up to a minute. One event that
    fails again and again begins none, however often it comes. Safe to use from several threads.

    Args:
        breaker: counts the failures.
        random: spreads the pauses, so that consumers do not all try at once.

    Attributes:
        tries: how many events were tried since it began, to no avail.
    """

    def __init__(self, breaker: CircuitBreaker | None = None, random: Random | None = None) -> None:
        self._breaker = breaker or CircuitBreaker()
        self._random = random or Random()  # noqa: S311 - spreads tries, keeps no secret
        self._told = Trouble()
        self._lock = Lock()
        self._failing: set[EventKey] = set()
        self._is_being_tried = False
        self._next_try_at = 0.0
        self.tries = 0

    @property
    def is_on(self) -> bool:
        """Whether only one event may be tried now and then."""
        return self._breaker.is_open

    def failed(self, key: EventKey, reason: str, now: float) -> bool:
        """Count an event that failed, once; says whether the outage began with it."""
        with self._lock:
            if self.is_on or key in self._failing:
                return False
            self._failing.add(key)
            self._breaker.failed(reason)
            if not self.is_on:
                return False
            self.tries, self._next_try_at = 0, now + self._pause()
            self._told.begin(f"{len(self._failing)} events failed in a row, the last one: {reason}")
            return True

    def succeeded(self) -> None:
        """An event was handled: there is no outage, and failures count from zero again."""
        if not self._failing:  # called for every event, so without the lock
            return
        with self._lock:
            self._failing.clear()
            self._breaker.succeeded()
            self._told.end()

    def begin_try(self, now: float) -> bool:
        """Whether the caller may try an event now; nobody else may until `end_try`."""
        with self._lock:
            if self._is_being_tried or now < self._next_try_at:
                return False
            self._is_being_tried = True
            return True

    def end_try(self, now: float, *, had_event: bool) -> None:
        """Let others try after the next pause; it grows only where there was an event to try."""
        with self._lock:
            self._is_being_tried = False
            self.tries += had_event
            self._next_try_at = now + self._pause()

    def keeps(self, delivery: Delivery) -> bool:
        """Whether an event that failed stays in hand for its next try, which costs no receive then."""
        return self.is_on and delivery.is_kept and delivery.tries < TRIES_IN_HAND

    def _pause(self) -> float:
        return PROBE.delay(self.tries, self._random)
