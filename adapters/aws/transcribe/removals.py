"""Removal of jobs that no call wants any more, with their sound and output."""

import asyncio
import logging

from adapters.aws.transcribe.api import TranscribeApi
from adapters.aws.transcribe.order import JobOrder
from adapters.aws.transcribe.patience import Timing
from adapters.aws.transcribe.threads import Threads
from domain.model.errors import TranscriptionError

logger = logging.getLogger(__name__)


class Removals:
    """Removes jobs in the background: Transcribe keeps a job, and writes its output, until it has ended."""

    def __init__(self, api: TranscribeApi, threads: Threads, timing: Timing) -> None:
        self._api = api
        self._threads = threads
        self._timing = timing
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by the name of the job

    async def begin(self, order: JobOrder, seconds: float, *, wait: bool) -> None:
        """Remove a job within so many seconds; `wait` for the first try, which suffices for an ended job."""
        tried = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._remove(order, seconds, tried))
        self._tasks[order.name] = task
        task.add_done_callback(lambda done: self._forget(order.name, done))
        task.add_done_callback(lambda _: tried.set())  # it may be stopped before its first step
        if wait:
            await tried.wait()

    async def stop(self, name: str) -> None:
        """Stop removing a job that a call wants again; no call of the removal is in progress afterwards."""
        if (task := self._tasks.get(name)) is not None:
            task.cancel()
            await asyncio.wait([task])

    async def leave(self, seconds: float) -> None:
        """Finish within so many seconds, since the process ends; log the jobs that are left behind."""
        tasks = dict(self._tasks)
        if tasks:
            await asyncio.wait(tasks.values(), timeout=seconds)
        for name in dict(self._tasks):
            await self.stop(name)
            logger.warning("transcription job is left behind", extra={"job": name})

    def _forget(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]

    async def _remove(self, order: JobOrder, seconds: float, tried: asyncio.Event) -> None:
        patience = self._timing.patience(seconds)
        while not await self._is_removed(order, tried):
            if patience.is_over:
                logger.warning("transcription job is left behind", extra={"job": order.name})
                return
            await patience.pause()

    async def _is_removed(self, order: JobOrder, tried: asyncio.Event) -> bool:
        try:
            return await self._try_to_remove(order)
        except TranscriptionError as error:
            logger.warning(
                "could not remove a transcription job", extra={"job": order.name, "error": str(error)}
            )
            return False
        finally:
            tried.set()

    async def _try_to_remove(self, order: JobOrder) -> bool:
        """Remove sound, job and output; the output last, since a job that goes on writes it."""
        await self._threads.run(lambda: self._api.remove(order.media_key))
        if not await self._threads.run(lambda: self._api.delete(order.name)):
            return False
        await self._threads.run(lambda: self._api.remove(order.output_key))
        return True
