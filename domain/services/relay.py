"""Takes events from the outbox to the bus, for as long as it runs."""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from threading import Event
from typing import NamedTuple

from domain.model.errors import OutboxUnavailableError
from domain.model.outbox import Claim, Outcome
from domain.services.attempts import full_jitter
from domain.services.circuit_breaker import CircuitBreaker
from domain.services.claim_publisher import CHUNK, ClaimPublisher, Round
from domain.services.route_guard import RouteGuard
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)

BATCH = 500
"""How many events are claimed at a time."""

BATCH_IN_TROUBLE = 100

CLAIM_CHARACTERS = 16 * 2**20
"""How much text is claimed at a time, about: long transcripts must not cost memory without bound."""

LEASE_SECONDS = 60.0
"""For how long others leave them alone; nothing is sent in the second half of it."""

FIELDS_CHARACTERS = 300
"""What an event has besides its texts, about."""

IDLE_SECONDS = 0.05
"""Rest after a claim that brought nothing, although something is due: somebody else is just claiming it."""

POLL_SECONDS = 1.0
"""How soon work is noticed that another process added."""

MAX_SLOWDOWN = 2
"""How often the rest after rounds that were mostly refused is doubled: calls are at most 4 seconds apart."""


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
        self._publisher = publisher
        self._breaker = breaker
        self._route = route
        self._batch = batch
        self._lease_seconds = lease_seconds
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._wait = wait or self._wait_for_wake
        self._random = random or Random()  # noqa: S311 - spreads retries, keeps no secret
        self._wake = Event()
        self._stop = Event()
        self._claimed_at = 0.0
        self._in_flight: deque[Callable[[], Round]] = deque()
        self._unrecorded: list[Outcome] = []
        self._flows = False
        self._mean_length = CLAIM_CHARACTERS / BATCH_IN_TROUBLE  # careful, until events have been seen
        self._broke_down = False
        self._setbacks = 0
        self._slowdown = -1
        self._must_rest = False
        self._trouble: str | None = None
        self._last_error: str | None = None
        self._beat: float | None = None

    def run(self, stop: Event) -> None:
        """Work until `stop` is set; then finish what is in flight, and give back what was not sent.

        Looks at `stop` at least every second or so, and at once after `wake`.
        """
        self._stop = stop
        logger.info("relay started")
        while not stop.is_set():
            self._rest(self.step())
        self._publisher.close()
        self._end()
        logger.info("relay stopped")

    def wake(self) -> None:
        """Tell the relay that there is work; from any thread. A pause is not cut short by it."""
        self._wake.set()

    def status(self) -> RelayStatus:
        """How the relay is now; from any thread."""
        since_beat = None if self._beat is None else self._clock() - self._beat
        return RelayStatus(self._breaker.held or self._trouble, since_beat, self._last_error)

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
        self._wind_up()
        return self._set_back(reason)

    def _step(self) -> float:
        """Start the next round, and finish those before it: two are in flight while all goes well."""
        self._must_rest = False
        self._record()
        if self._route and not self._route.is_sound():
            self._finish_all()
            return self._poll_seconds
        limit = self._limit()
        claims = self._claim(limit)
        if claims:
            self._in_flight.append(self._start(claims))
        elif not self._in_flight:
            return self._seconds_until_due()
        return self._finish_all(but=1 if self._flows and len(claims) == limit else 0)

    def _claim(self, limit: int) -> tuple[Claim, ...]:
        self._claimed_at = self._clock()
        claims = self._outbox.claim_due(limit, lease_seconds=self._lease_seconds)
        if claims:
            self._mean_length = sum(map(_length, claims)) / len(claims)
        if self._broke_down:  # no longer: what was left is recorded, and the outbox answers
            self._broke_down = False
            self._recovered()
        return claims

    def _start(self, claims: Sequence[Claim]) -> Callable[[], Round]:
        claimed_at = self._claimed_at
        return self._publisher.start(claims, why_not=lambda: self._why_not(claimed_at), trouble=self._trouble)

    def _finish_all(self, *, but: int = 0) -> float:
        """Finish and record what is in flight, the oldest first; after a setback, the last rounds as well."""
        rest = 0.0
        while len(self._in_flight) > (0 if rest else but):
            rest = max(rest, self._seconds_after(self._finish()))
            self._record()
        self._must_rest = rest > 0
        return rest

    def _finish(self) -> Round:
        round_ = self._in_flight.popleft()()
        self._unrecorded += round_.outcomes
        self._flows = not round_.refused
        return round_

    def _wind_up(self) -> None:
        """Finish what is in flight. A round that breaks down ends nothing but itself: its leases end, too."""
        while self._in_flight:
            try:
                self._finish()
            except Exception as error:
                context = {"error_type": type(error).__name__}
                logger.exception("a round broke down, its events will be sent again", extra=context)

    def _limit(self) -> int:
        """While in trouble, enough to find events among them that are not to blame."""
        limit = min(BATCH_IN_TROUBLE, self._batch) if self._trouble else self._batch
        return min(limit, max(CHUNK, int(CLAIM_CHARACTERS / self._mean_length)))

    def _why_not(self, claimed_at: float) -> str | None:
        if self._stop.is_set():
            return "the relay stopped"
        if self._breaker.held:
            return f"the events are held back: {self._breaker.held}"
        late = self._clock() - claimed_at > self._lease_seconds / 2
        return "the lease was nearly over" if late else None

    def _record(self) -> None:
        """Write down what became of the last round; until that is done, nothing else is sent."""
        if not self._unrecorded:
            return
        try:
            self._outbox.record(self._unrecorded)
        except Exception:
            self._breaker.trip("what was published cannot be recorded")
            raise
        self._unrecorded = []

    def _end(self) -> None:
        self._wind_up()
        try:
            self._record()
        except OutboxUnavailableError as error:
            left = len(self._unrecorded)
            logger.exception(
                "not recorded, what was published will be sent again",
                extra={"events": left, "error": str(error)},
            )

    def _seconds_until_due(self) -> float:
        due = self._outbox.seconds_until_due()
        return self._poll_seconds if due is None else min(max(due, IDLE_SECONDS), self._poll_seconds)

    def _seconds_after(self, round_: Round) -> float:
        if round_.accepted:
            self._recovered()
            return self._slow_down() if round_.refused > round_.accepted else self._at_full_speed()
        return self._set_back(round_.reason) if round_.refused else 0.0

    def _slow_down(self) -> float:
        """A bus that refuses most of what it gets is called less often, the more rounds in a row it does."""
        self._slowdown = min(self._slowdown + 1, MAX_SLOWDOWN)
        return full_jitter(self._slowdown, self._random)

    def _at_full_speed(self) -> float:
        self._slowdown = -1
        return 0.0

    def _set_back(self, reason: str) -> float:
        if self._trouble is None:
            logger.error("the relay pauses", extra={"error": reason})
        self._trouble = self._last_error = reason
        self._setbacks += 1
        return full_jitter(self._setbacks, self._random)

    def _recovered(self) -> None:
        if self._trouble is not None:
            logger.info("the relay goes on", extra={"after": self._trouble})
        self._trouble, self._setbacks = None, 0

    def _rest(self, seconds: float) -> None:
        until = self._clock() + seconds
        while not self._stop.is_set() and (left := until - self._clock()) > 0:
            woken = self._wait(min(left, self._poll_seconds))
            self._beat = self._clock()
            if woken and not (self._setbacks or self._must_rest):
                return

    def _wait_for_wake(self, seconds: float) -> bool:
        woken = self._wake.wait(seconds)
        self._wake.clear()
        return woken


def _length(claim: Claim) -> int:
    data = claim.event.data
    return FIELDS_CHARACTERS + len(data.raw_transcript) + len(data.cleaned_transcript)
