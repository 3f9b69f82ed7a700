"""Patience: growing pauses with a random part, up to a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from domain.services.resilience.backoff import Backoff

PAUSES = Backoff(first_seconds=5.0, max_seconds=60.0, growth=1.5, least=0.5)
"""Pauses between two looks at a job, and between two tries to start one."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Clock of this machine and what waits by it."""

    clock: Callable[[], float] = time.monotonic  # seconds
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Random = field(default_factory=Random)

    def patience(self, seconds: float) -> "Patience":
        """Begin to wait, for so long at most."""
        return Patience(self, seconds)


class Patience:
    """Waits for one thing to happen."""

    def __init__(self, timing: Timing, seconds: float) -> None:
        self._timing = timing
        self._began = timing.clock()
        self._pauses = 0
        self.seconds = seconds

    @property
    def elapsed(self) -> float:
        """Return the seconds since the wait began."""
        return self._timing.clock() - self._began

    @property
    def is_over(self) -> bool:
        """Check whether the deadline has passed."""
        return self.elapsed >= self.seconds

    async def pause(self) -> None:
        """Wait a little, longer each time, and not beyond the deadline."""
        delay = PAUSES.delay(self._pauses, self._timing.random)
        self._pauses += 1
        await self._timing.sleep(min(delay, max(self.seconds - self.elapsed, 0.0)))
