"""How fast a relay may go: at full speed, slower, or after a pause that grows."""

import logging
from random import Random

from domain.services.relay.dispatcher import Round
from domain.services.resilience.backoff import Backoff

logger = logging.getLogger(__name__)

PAUSE = Backoff()

MAX_SLOWDOWN = 2
"""How often the rest after rounds that were mostly refused is doubled: calls are at most 4 seconds apart."""


class Pace:
    """The rests of a relay, by what became of its rounds.

    Attributes:
        trouble: why nothing can be done just now; None where all is well.
        last_error: what went wrong last, if anything ever did.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._setbacks = 0
        self._slowdown = -1
        self.trouble: str | None = None
        self.last_error: str | None = None

    def seconds_after(self, round_: Round) -> float:
        """How long to rest after a round."""
        if round_.accepted:
            self.recover()
            return self._slow_down() if round_.refused > round_.accepted else self._at_full_speed()
        return self.set_back(round_.reason) if round_.refused else 0.0

    def set_back(self, reason: str) -> float:
        """How long to rest after a failure of everything; told once, until it is over."""
        if self.trouble is None:
            logger.error("the relay pauses", extra={"error": reason})
        self.trouble = self.last_error = reason
        self._setbacks += 1
        return PAUSE.delay(self._setbacks, self._random)

    def recover(self) -> None:
        """Something went well."""
        if self.trouble is not None:
            logger.info("the relay goes on", extra={"after": self.trouble})
        self.trouble, self._setbacks = None, 0

    def _slow_down(self) -> float:
        """A bus that refuses most of what it gets is called less often, the more rounds in a row it does."""
        self._slowdown = min(self._slowdown + 1, MAX_SLOWDOWN)
        return PAUSE.delay(self._slowdown, self._random)

    def _at_full_speed(self) -> float:
        self._slowdown = -1
        return 0.0
