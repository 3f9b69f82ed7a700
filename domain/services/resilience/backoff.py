"""Backoff: the delay before the next try after failures."""

from dataclasses import dataclass
from random import Random

MAX_EXPONENT = 32
"""Keeps the power finite after any number of failures; the bound is reached long before."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that grow with each failure, up to a bound, spread at random so that retries do not coincide."""

    first_seconds: float = 1.0  # the bound of the delay after no failure yet
    max_seconds: float = 60.0  # the bound that no delay exceeds
    growth: float = 2.0  # the factor by which each failure raises the bound
    least: float = 0.0  # the part of the bound that every delay has; 0 is what AWS calls full jitter

    def delay(self, failures: int, random: Random) -> float:
        """Return the seconds to wait after that many failures in a row."""
        bound = min(self.first_seconds * self.growth ** min(failures, MAX_EXPONENT), self.max_seconds)
        return random.uniform(self.least * bound, bound)
