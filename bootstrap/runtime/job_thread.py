"""Event loop in a thread, with a worker of jobs for the threads of a task queue."""

import asyncio
import logging
import os
import signal
from concurrent.futures import CancelledError, Future
from threading import RLock, Thread
from uuid import UUID

from bootstrap.container import Container
from bootstrap.runtime.metrics import exposing_metrics
from bootstrap.runtime.workers import serving_jobs

logger = logging.getLogger(__name__)


class JobThread:
    """Worker in a thread beside the main one; other threads hand it the jobs that they were told of.

    Attributes:
        has_failed: the worker has ended by an unexpected error, and has sent this process SIGTERM.
    """

    def __init__(self, container: Container) -> None:
        self._container = container
        self._thread = Thread(target=self._main, name="job-worker")
        self._ready: Future[None] = Future()
        self._lock = RLock()  # a signal handler may interrupt its own thread
        self._is_stopping = False
        self._owes_rings = False  # calls have ended without their jobs
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._may_claim = asyncio.Event()
        self._calls: set[asyncio.Task[bool]] = set()
        self.has_failed = False

    def start(self) -> None:
        """Start the transcriber, and raise what its start raises; take no job yet."""
        self._thread.start()
        self._ready.result()

    def look_for_jobs(self) -> None:
        """Look for jobs from now on, unless the worker stops; signals have to call `stop_soon` by now."""
        with self._lock:
            if not self._is_stopping:
                self._loop.call_soon_threadsafe(self._may_claim.set)

    def run(self, job_id: UUID) -> None:
        """Work on a job until its end; return at once if it is not due, or the worker stops."""
        with self._lock:
            if self._is_stopping:
                self._owes_rings = True
                return
            call = asyncio.run_coroutine_threadsafe(self._run(job_id), self._loop)
        try:
            call.result()
        except CancelledError:
            self._owes_rings = True
            logger.info("job queued again, this worker stops", extra={"job_id": str(job_id)})

    def stop_soon(self) -> None:
        """Queue the jobs at work again, and stop; returns at once, and may be called by a signal handler."""
        with self._lock:
            if not self._is_stopping:
                self._is_stopping = True
                self._loop.call_soon_threadsafe(self._stop.set)

    def stop(self) -> None:
        """Stop, and wait for the end of the thread; then tell other workers of jobs whose rings came here."""
        self.stop_soon()
        if self._thread.is_alive():
            self._thread.join()
        if self._owes_rings:
            self._owes_rings = False
            self._container.job_sweeper().ring()

    def _main(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._serve())
            except BaseException as error:  # noqa: BLE001 - told to the thread that starts this one, or logged
                self._fail(error)

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._is_stopping = True
        if not self._ready.done():
            self._ready.set_exception(error)
            return
        logger.critical("worker of jobs ended by an unexpected error", exc_info=error)
        self.has_failed = True
        os.kill(os.getpid(), signal.SIGTERM)

    async def _serve(self) -> None:
        with exposing_metrics(self._container, has_transcriber=True):
            await self._work()

    async def _work(self) -> None:
        async with serving_jobs(self._container) as worker:
            self._worker = worker
            polling = asyncio.create_task(self._poll(), name="job-polls")
            stopping = asyncio.create_task(self._stop.wait(), name="job-stop")
            self._ready.set_result(None)
            await asyncio.wait((polling, stopping), return_when=asyncio.FIRST_COMPLETED)
            with self._lock:
                self._is_stopping = True
            await _end(stopping, *self._calls, polling)
            if not polling.cancelled():
                polling.result()

    async def _poll(self) -> None:
        await self._may_claim.wait()
        await self._worker.run()

    async def _run(self, job_id: UUID) -> None:
        call = asyncio.create_task(self._worker.run_job(job_id))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        await call


async def _end(*tasks: asyncio.Task[bool] | asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
