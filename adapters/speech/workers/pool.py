"""Speech recognition in supervised worker processes.

An engine holds the interpreter's lock while it works, and a decoder may crash on hostile input. Each engine
therefore runs in a separate process: the event loop stays free, and a crash fails one recording.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from adapters.speech.workers.process import WorkerProcess
from adapters.speech.workers.sandbox import forbid_inspection
from adapters.speech.workers.workload import Workload
from domain.model.errors import TranscriberBusyError, TranscriberUnavailableError
from domain.model.transcripts import DEFAULT_OPTIONS, Transcript, TranscriptionOptions
from ports.transcriber_port import ProgressListener, TranscriberPort, TranscriberState

logger = logging.getLogger(__name__)


class WorkerPoolTranscriber(TranscriberPort):
    """Distributes recordings over worker processes; a bounded number may wait, others are refused."""

    def __init__(
        self,
        workers: Sequence[WorkerProcess],  # the processes, not started yet
        *,
        waiting_room: int,  # number of recordings that may wait for a process
        # pause after the first failed start of a process; it doubles with each failure
        restart_seconds: float = 1.0,
        max_restart_seconds: float = 60.0,  # longest pause between failed starts
        clock: Callable[[], float] = time.monotonic,  # monotonic seconds; measures the pace of the work
    ) -> None:
        self._workers = tuple(workers)
        self._restart_seconds = restart_seconds
        self._max_restart_seconds = max_restart_seconds
        self._capacity = len(self._workers) + waiting_room
        self._admitted = 0
        self._idle: asyncio.LifoQueue[WorkerProcess] = asyncio.LifoQueue()
        # `start` loads the first worker first, and the queue returns the last one put first
        for worker in reversed(self._workers):
            self._idle.put_nowait(worker)
        self._workload = Workload(clock)
        self._problem: str | None = None
        self._supervisors: tuple[asyncio.Task[None], ...] = ()

    async def start(self) -> None:
        """Start the worker processes once, without waiting for their engines; recordings may arrive before.

        The first process runs when this returns, even if the event loop is busy afterwards; the others follow
        when it is ready, so that they take no processor from it or from the starting service. From now on
        other processes of the same user, the workers included, cannot inspect this process.
        """
        if self._supervisors:
            return
        forbid_inspection()
        first, *others = self._workers
        first_tried = asyncio.Event()
        self._supervisors = (
            asyncio.create_task(self._keep_ready(first, first_tried)),
            *(asyncio.create_task(self._keep_ready_after(first_tried, worker)) for worker in others),
        )
        await asyncio.sleep(0)  # the supervisor creates its process in its first step

    async def stop(self) -> None:
        """Kill all workers, for good; recordings in progress fail."""
        for supervisor in self._supervisors:
            supervisor.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    def state(self) -> TranscriberState:
        """Count the workers that are ready, and the recordings in progress or waiting."""
        ready = sum(worker.pid is not None for worker in self._workers)
        return TranscriberState(
            ready_slots=ready,
            slots=len(self._workers),
            admitted=self._admitted,
            capacity=self._capacity,
            problem=self._problem,
            retry_after_seconds=self._workload.retry_after_seconds(),
        )

    def worker_pids(self) -> tuple[int, ...]:
        """List the process ids of workers that are ready or at work."""
        return tuple(worker.pid for worker in self._workers if worker.pid is not None)

    def check_capacity(self) -> None:
        """Refuse a recording before it is received, where `transcribe` would refuse it."""
        if self._admitted >= self._capacity:
            raise TranscriberBusyError(
                f"All {len(self._workers)} transcription slots and the waiting room are taken.",
                retry_after_seconds=self._workload.retry_after_seconds(),
            )

    async def transcribe(
        self,
        recording: Path,
        /,
        *,
        options: TranscriptionOptions = DEFAULT_OPTIONS,
        on_progress: ProgressListener | None = None,
    ) -> Transcript:
        """Wait for a worker, and transcribe the recording in it."""
        with self._admission():
            worker = await self._idle.get()
            try:
                with self._workload.tracking(on_progress) as listener:
                    return await worker.run(recording, options, listener)
            finally:
                self._idle.put_nowait(worker)

    @contextlib.contextmanager
    def _admission(self) -> Iterator[None]:
        self.check_capacity()
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1

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
        return True
