"""Contract of every bell: the sentences of `JobBellPort`'s docstrings.

A bell binds the contract by subclassing it and providing the fixture `rung`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from ports.job_bell_port import JobBellPort
from tests.support.harness.service import wait_until


@dataclass(frozen=True)
class Bell:
    """Bell with what the workers of a queue hear of it, and where it is cut off, with nothing heard."""

    port: JobBellPort
    queue: str
    heard: Callable[[], list[UUID]]  # all so far
    cut_off: Callable[[], JobBellPort]


class JobBellPortContract:
    """Contract of `JobBellPort`."""

    def test_a_ring_reaches_the_workers(self, rung: Bell) -> None:
        job_id = uuid4()

        rung.port.ring(job_id, rung.queue)

        wait_until(lambda: job_id in rung.heard())

    def test_rings_for_many_jobs_all_reach_the_workers(self, rung: Bell) -> None:
        jobs = {uuid4() for _ in range(50)}

        for job_id in jobs:
            rung.port.ring(job_id, rung.queue)

        wait_until(lambda: jobs <= set(rung.heard()))

    def test_jobs_that_have_waited_are_told_of_again(self, rung: Bell) -> None:
        jobs = [uuid4() for _ in range(3)]

        rung.port.ring_again([(each, rung.queue) for each in jobs])

        wait_until(lambda: set(jobs) <= set(rung.heard()))

    def test_a_bell_that_reaches_no_worker_neither_raises_nor_delays(self, rung: Bell) -> None:
        bell = rung.cut_off()
        begun = time.monotonic()

        bell.ring(uuid4(), rung.queue)
        bell.ring_again([(uuid4(), rung.queue)])

        assert time.monotonic() - begun < 60, "a broker that is away would take for ever"
