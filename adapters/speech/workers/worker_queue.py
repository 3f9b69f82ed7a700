"""Queue for worker processes, in which recordings take turns."""

from collections.abc import Sequence

from adapters.fair_queue import FairQueue
from adapters.speech.workers.process import WorkerProcess


def worker_queue(workers: Sequence[WorkerProcess]) -> FairQueue[WorkerProcess]:
    """Build a queue that hands out the processes that are ready.

    Where none is, one job gets one that is not: it waits for the start, or learns why that fails.
    """

    def choose(idle: Sequence[WorkerProcess]) -> WorkerProcess | None:
        ready = [worker for worker in idle if worker.pid is not None]
        if ready:
            return ready[-1]
        # one that is at work and not ready is being started
        return idle[-1] if len(idle) == len(workers) else None

    return FairQueue(workers, choose=choose)
