"""Kill servers at random moments, and start them again."""

import time
from collections.abc import Callable, Sequence
from random import Random

from tests.support.faults.servers import Server
from tests.support.harness.service import wait_until

LONGEST_SECONDS = 0.6


def kill_again_and_again(
    servers: Sequence[Server], rounds: int, random: Random, *, promised: Callable[[], int]
) -> list[float]:
    """Kill one server each time while the others run, some time after the next promise.

    Returns:
        How long each took until it was ready again, in seconds.
    """
    return [
        _kill(random.choice(servers), random.uniform(0, LONGEST_SECONDS), promised) for _ in range(rounds)
    ]


def _kill(server: Server, after_seconds: float, promised: Callable[[], int]) -> float:
    before = promised()
    wait_until(lambda: promised() > before)
    time.sleep(after_seconds)  # at a random moment
    server.kill()
    begun = time.monotonic()
    server.start()
    server.wait_until_ready()
    return time.monotonic() - begun
