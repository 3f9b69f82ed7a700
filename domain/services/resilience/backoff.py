"""Backoff: how long to wait after failures, spread out at random."""

from random import Random

FIRST_DELAY_SECONDS = 1.0
MAX_DELAY_SECONDS = 60.0


def full_jitter(failures: int, random: Random) -> float:
    """Seconds to wait after so many failures: anything up to a bound that doubles each time, up to a minute.

    Spread out evenly, so that what failed together does not come back together.
    """
    bound = FIRST_DELAY_SECONDS * 2 ** min(failures, 10)
    return random.uniform(0, min(bound, MAX_DELAY_SECONDS))
