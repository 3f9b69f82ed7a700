"""Supervision of worker processes: they are started before they are needed, and again whenever they ended."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

from adapters.speech.workers.process import EndReason, WorkerProcess
from adapters.speech.workers.sandbox import forbid_inspection
from adapters.speech.workers.worker_queue import worker_queue
from domain.model.errors import TranscriberUnavailableError
from ports.recogniser_port import Slots

logger = logging.getLogger(__name__)


class SupervisedWorkers:
    """Keeps processes with one program ready, and hands them out in a `queue`."""

    def __init__(
        self,
        workers: Sequence[WorkerProcess],  # not started yet
        *,
        # pause after the first failed start of a process; it doubles with each failure
        restart_seconds: float = 1.0,
        max_restart_seconds: float = 60.0,  # longest pause between failed starts
    ) -> None:
        self.workers = tuple(workers)
        self._restart_seconds = restart_seconds
        self._max_restart_seconds = max_restart_seconds
        self.queue = worker_queue(self.workers)
        self._problem: str | None = None
        self._supervisors: tuple[asyncio.Task[None], ...] = ()

    async def start(self) -> None:
        """Start the processes once, without waiting until they are ready; work may arrive before.

        The first process runs when this returns, even if the event loop is busy afterwards; the others follow
        when it is ready, so that they take no processor from it or from the starting service. From now on
        other processes of the same user, the workers included, cannot inspect this process.
        """
        if self._supervisors:
            return
        forbid_inspection()
        first, *others = self.workers
        first_tried = asyncio.Event()
        self._supervisors = (
            asyncio.create_task(self._keep_ready(first, first_tried)),
            *(asyncio.create_task(self._keep_ready_after(first_tried, worker)) for worker in others),
        )
        await asyncio.sleep(0)  # the supervisor creates its process in its first step

    async def stop(self) -> None:
        """Kill all processes, for good; work in progress fails."""
        for supervisor in self._supervisors:
            supervisor.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self.workers))

    def slots(self) -> Slots:
        """Count the processes, and those that are ready."""
        return Slots(len(self.pids()), len(self.workers), self._problem)

    def ends(self) -> Counter[EndReason]:
        """Count the processes that ended and were started again, by reason."""
        return sum((worker.ends for worker in self.workers), Counter[EndReason]())

    def pids(self) -> tuple[int, ...]:
        """List the process ids of workers that are ready or at work."""
        return tuple(worker.pid for worker in self.workers if worker.pid is not None)

    async def _keep_ready_after(self, first_tried: asyncio.Event, worker: WorkerProcess) -> None:
        await first_tried.wait()
        await self._keep_ready(worker, first_tried)

    async def _keep_ready(self, worker: WorkerProcess, tried: asyncio.Event) -> None:
        """Start the worker before it is needed, and again whenever its process ended."""
        pause = self._restart_seconds
        while True:
            started = await self._is_started(worker, pause)
            tried.set()
            if started:
                pause = self._restart_seconds
                await worker.ended()
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, self._max_restart_seconds)

    async def _is_started(self, worker: WorkerProcess, pause: float) -> bool:
        try:
            await worker.start()
        except TranscriberUnavailableError as error:
            self._problem = str(error)
            logger.exception(
                "could not start a worker process, trying again", extra={"next_try_seconds": pause}
            )
            return False
        self._problem = None
        self.queue.hand_out()
        return True
