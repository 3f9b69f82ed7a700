"""Takes events from the outbox to the bus, for as long as it runs."""

import logging
import time
from collections.abc import Callable, Sequence
from random import Random
from threading import Event
from typing import NamedTuple

from domain.model.errors import OutboxUnavailableError
from domain.model.outbox import EventLease
from domain.services.relay.dispatcher import ClaimPublisher
from domain.services.relay.pace import Pace
from domain.services.relay.portions import BATCH, Portions
from domain.services.relay.rounds import Rounds
from domain.services.relay.route_guard import RouteGuard
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
"""For how long others leave them alone; nothing is sent in the second half of it."""

IDLE_SECONDS = 0.05
"""Rest after a lease that brought nothing, although something is due: somebody else is just claiming it."""

POLL_SECONDS = 1.0
"""How soon work is noticed that another process added."""


class RelayStatus(NamedTuple):
    """How a relay is.

    Attributes:
        paused: why nothing is sent just now; None where all is well.
        seconds_since_beat: since it last showed a sign of life; None before the first.
        last_error: what went wrong last, if anything ever did.
    """

    paused: str | None
    seconds_since_beat: float | None
    last_error: str | None


class Relay:
    """Claims what is due, publishes it, records what became of it, again and again.

    Any number of relays may work on one outbox. A bus or an outbox in trouble is tried again after pauses
    that grow to a minute, with a few events only. What was published and could not be recorded is recorded
    before anything else is sent: an outbox that cannot be written to costs two batches of duplicates at most.

    Args:
        breaker: the one that callers look at; the relay closes it again.
        route: what keeps events back while the bus would drop them; None where it cannot be looked at.
        wait: waits so many seconds, or until it is woken; says whether it was.
    """

    def __init__(
        self,
        outbox: OutboxPort,
        publisher: ClaimPublisher,
        breaker: CircuitBreaker,
        *,
        route: RouteGuard | None = None,
        batch: int = BATCH,
        lease_seconds: float = LEASE_SECONDS,
        poll_seconds: float = POLL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], bool] | None = None,
        random: Random | None = None,
    ) -> None:
        self._outbox = outbox
        self._rounds = Rounds(outbox, publisher, breaker)
        self._breaker = breaker
        self._route = route
        self._portions = Portions(batch)
        self._lease_seconds = lease_seconds
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._wait = wait or self._wait_for_wake
        self._pace = Pace(random or Random())  # noqa: S311 - spreads retries, keeps no secret
        self._wake = Event()
        self._stop = Event()
        self._leased_at = 0.0
        self._broke_down = False
        self._must_rest = False
        self._beat: float | None = None

    def run(self, stop: Event) -> None:
        """Work until `stop` is set; then finish what is in flight, and give back what was not sent.

        Looks at `stop` at least every second or so, and at once after `wake`.
        """
        self._stop = stop
        logger.info("relay started")
        while not stop.is_set():
            self._rest(self.step())
        self._rounds.end()
        logger.info("relay stopped")

    def wake(self) -> None:
        """Tell the relay that there is work; from any thread. A pause is not cut short by it."""
        self._wake.set()

    def status(self) -> RelayStatus:
        """How the relay is now; from any thread."""
        since_beat = None if self._beat is None else self._clock() - self._beat
        return RelayStatus(self._breaker.held or self._pace.trouble, since_beat, self._pace.last_error)

    def step(self) -> float:
        """One round.

        Returns:
            How long to rest before the next one, in seconds.
        """
        self._beat = self._clock()
        try:
            return self._step()
        except OutboxUnavailableError as error:
            reason = f"the outbox cannot be had: {error}"
        except Exception as error:
            logger.exception("the relay broke down", extra={"error_type": type(error).__name__})
            reason = f"the relay broke down: {type(error).__name__}"
        self._broke_down = True
        self._rounds.wind_up()
        return self._pace.set_back(reason)

    def _step(self) -> float:
        """Start the next round, and finish those before it: several are in flight while all goes well."""
        self._must_rest = False
        self._rounds.record()
        if self._route and not self._route.is_sound():
            self._finish_all()
            return self._poll_seconds
        limit = self._portions.limit(in_trouble=self._pace.trouble is not None)
        leases = self._lease(limit)
        if leases:
            self._start(leases)
        elif not self._rounds:
            return self._seconds_until_due()
        is_flowing = self._rounds.flow and len(leases) == limit
        return self._finish_all(but=self._portions.ahead(limit) if is_flowing else 0)

    def _lease(self, limit: int) -> tuple[EventLease, ...]:
        self._leased_at = self._clock()
        leases = self._outbox.lease_due(limit, lease_seconds=self._lease_seconds)
        if leases:
            self._portions.look_at(leases)
        if self._broke_down:  # no longer: what was left is recorded, and the outbox answers
            self._broke_down = False
            self._pace.recover()
        return leases

    def _start(self, leases: Sequence[EventLease]) -> None:
        leased_at = self._leased_at
        self._rounds.start(leases, lambda: self._why_not(leased_at), self._pace.trouble)

    def _finish_all(self, *, but: int = 0) -> float:
        """Finish and record what is in flight, the oldest first; after a setback, the last rounds as well."""
        rest = 0.0
        while len(self._rounds) > (0 if rest else but):
            rest = max(rest, self._pace.seconds_after(self._rounds.finish()))
            self._rounds.record()
        self._must_rest = rest > 0
        return rest

    def _why_not(self, leased_at: float) -> str | None:
        if self._stop.is_set():
            return "the relay stopped"
        if self._breaker.held:
            return f"the events are held back: {self._breaker.held}"
        late = self._clock() - leased_at > self._lease_seconds / 2
        return "the lease was nearly over" if late else None

    def _seconds_until_due(self) -> float:
        due = self._outbox.seconds_until_due()
        return self._poll_seconds if due is None else min(max(due, IDLE_SECONDS), self._poll_seconds)

    def _rest(self, seconds: float) -> None:
        until = self._clock() + seconds
        while not self._stop.is_set() and (left := until - self._clock()) > 0:
            woken = self._wait(min(left, self._poll_seconds))
            self._beat = self._clock()
            if woken and not (self._pace.trouble or self._must_rest):
                return

    def _wait_for_wake(self, seconds: float) -> bool:
        woken = self._wake.wait(seconds)
        self._wake.clear()
        return woken
