"""The rounds of a relay: those whose events are on their way, and what of others is not recorded yet."""

import logging
from collections import deque
from collections.abc import Callable, Sequence

from domain.model.errors import OutboxUnavailableError
from domain.model.outbox import EventLease, Outcome
from domain.services.relay.dispatcher import ClaimPublisher, Round
from domain.services.resilience.background import logging_exceptions
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)


class Rounds:
    """Starts rounds, finishes the oldest first, and records what became of their events.

    What could not be recorded is kept for the next time.

    Attributes:
        flow: whether nothing was refused in the round that was finished last.
    """

    def __init__(self, outbox: OutboxPort, publisher: ClaimPublisher, breaker: CircuitBreaker) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._breaker = breaker
        self._in_flight: deque[Callable[[], Round]] = deque()
        self._unrecorded: list[Outcome] = []
        self.flow = False

    def __len__(self) -> int:
        """How many are in flight."""
        return len(self._in_flight)

    def start(
        self, leases: Sequence[EventLease], why_not: Callable[[], str | None], trouble: str | None
    ) -> None:
        """Begin to send the leases; the arguments are those of `ClaimPublisher.start`."""
        self._in_flight.append(self._publisher.start(leases, why_not=why_not, trouble=trouble))

    def finish(self) -> Round:
        """Wait for the end of the oldest one."""
        round_ = self._in_flight.popleft()()
        self._unrecorded += round_.outcomes
        self.flow = not round_.refused
        return round_

    def wind_up(self) -> None:
        """Finish all of them. One that breaks down ends nothing but itself: its leases end, too."""
        while self._in_flight:
            with logging_exceptions("a round broke down, its events will be sent again"):
                self.finish()

    def record(self) -> None:
        """Write down what became of finished rounds; until that is done, nothing else may be sent."""
        if not self._unrecorded:
            return
        try:
            self._outbox.record(self._unrecorded)
        except Exception:
            self._breaker.trip("what was published cannot be recorded")
            raise
        self._unrecorded = []

    def end(self) -> None:
        """Finish and record what is left, and say what could not be recorded."""
        self._publisher.close()
        self.wind_up()
        try:
            self.record()
        except OutboxUnavailableError as error:
            logger.exception(
                "not recorded, what was published will be sent again",
                extra={"events": len(self._unrecorded), "error": str(error)},
            )
