"""Speech recognition in supervised worker processes.

The engines hold the interpreter's lock for as long as they work, and decoders of hostile input crash. So each
runs in a process of its own: the event loop stays free, and what dies takes one recording with it.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Iterator
from pathlib import Path

from adapters.speech.workers.process import WorkerProcess
from adapters.speech.workers.sandbox import forbid_inspection
from domain.model.errors import TranscriberBusyError, TranscriberUnavailableError
from domain.model.transcripts import Transcript
from ports.transcriber_port import ProgressListener, TranscriberPort, TranscriberState

logger = logging.getLogger(__name__)

LONGEST_RETRY_AFTER_SECONDS = 300
_WEIGHT_OF_LATEST = 0.3

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
"""Between failing starts of a worker; the pause doubles from one to the other."""


class WorkerPoolTranscriber(TranscriberPort):
    """Hands recordings to `workers` processes; `waiting_room` more may wait, the next ones are refused.

    Args:
        engine: the engine's name, see `adapters.speech.engines.loading`.
        workers: processes, each with an engine of its own.
        waiting_room: recordings that may wait for one of them.
        max_audio_seconds: the longest recording that is accepted.
        stall_seconds: a worker without a sign of life for so long is killed.
    """

    def __init__(
        self,
        engine: str,
        *,
        workers: int,
        waiting_room: int,
        max_audio_seconds: float,
        stall_seconds: float,
    ) -> None:
        self._workers = tuple(
            WorkerProcess(engine, max_audio_seconds=max_audio_seconds, stall_seconds=stall_seconds)
            for _ in range(workers)
        )
        self._capacity = workers + waiting_room
        self._admitted = 0
        self._idle: asyncio.LifoQueue[WorkerProcess] = asyncio.LifoQueue()
        # the first is ready first, and the last one put is taken first
        for worker in reversed(self._workers):
            self._idle.put_nowait(worker)
        self._typical_seconds = 1.0
        self._supervisors: tuple[asyncio.Task[None], ...] = ()

    async def start(self) -> None:
        """Begin to load the engines, unless that was begun before; recordings may be handed in meanwhile.

        The first process runs when this returns, even if the event loop is then kept busy; the others
        follow when it is ready, so that they do not keep a core from it and from whoever starts the service.
        From now on nothing that runs as the same user can look into this process, a worker least of all.
        """
        if self._supervisors:
            return
        forbid_inspection()
        first, *others = self._workers
        first_tried = asyncio.Event()
        self._supervisors = (
            asyncio.create_task(_keep_ready(first, first_tried)),
            *(asyncio.create_task(_keep_ready_after(first_tried, worker)) for worker in others),
        )
        await asyncio.sleep(0)  # the supervisor makes its process in its first step

    async def stop(self) -> None:
        """End every worker at once, for good; whoever wants recordings finished waits for them first."""
        for supervisor in self._supervisors:
            supervisor.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    def state(self) -> TranscriberState:
        """How many workers are ready, and how many recordings are being worked on or wait."""
        ready = sum(worker.pid is not None for worker in self._workers)
        return TranscriberState(ready, len(self._workers), self._admitted, self._capacity)

    def worker_pids(self) -> tuple[int, ...]:
        """The processes that are ready or at work."""
        return tuple(worker.pid for worker in self._workers if worker.pid is not None)

    def check_capacity(self) -> None:
        """Refuse before a recording is even received, where it would be refused afterwards."""
        if self._admitted >= self._capacity:
            raise TranscriberBusyError(
                f"All {len(self._workers)} transcription slots and the waiting room are taken.",
                retry_after_seconds=self._retry_after_seconds(),
            )

    async def transcribe(
        self, recording: Path, /, *, on_progress: ProgressListener | None = None
    ) -> Transcript:
        """Wait for a worker and let it transcribe the recording."""
        with self._admission():
            worker = await self._idle.get()
            began = time.monotonic()
            try:
                transcript = await worker.run(recording, on_progress)
            finally:
                self._idle.put_nowait(worker)
            self._remember(time.monotonic() - began)
            return transcript

    @contextlib.contextmanager
    def _admission(self) -> Iterator[None]:
        self.check_capacity()
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1

    def _remember(self, seconds: float) -> None:
        self._typical_seconds += _WEIGHT_OF_LATEST * (seconds - self._typical_seconds)

    def _retry_after_seconds(self) -> int:
        return max(1, min(LONGEST_RETRY_AFTER_SECONDS, math.ceil(self._typical_seconds)))


async def _keep_ready_after(first_tried: asyncio.Event, worker: WorkerProcess) -> None:
    await first_tried.wait()
    await _keep_ready(worker, first_tried)


async def _keep_ready(worker: WorkerProcess, tried: asyncio.Event) -> None:
    """Have the worker ready before it is needed, and again whenever its process ended."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        started = await _is_started(worker, pause)
        tried.set()
        if started:
            pause = FIRST_PAUSE_SECONDS
            await worker.ended()
        else:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


async def _is_started(worker: WorkerProcess, pause: float) -> bool:
    try:
        await worker.start()
    except TranscriberUnavailableError:
        logger.exception("worker could not be started", extra={"next_try_seconds": pause})
        return False
    return True
