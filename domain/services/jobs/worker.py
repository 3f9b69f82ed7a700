"""Worker: claims jobs that are due, and works on some of them at the same time."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple
from uuid import UUID

from domain.model.errors import JobStoreUnavailableError
from domain.model.jobs import JobLease
from domain.services.jobs.execution import JobExecution
from domain.services.jobs.heartbeat import LeaseHeartbeat
from domain.services.resilience.background import logging_exceptions
from ports.job_store_port import JobStorePort

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25
"""Longest delay until a job is noticed that no bell has told of: added by another process, or due again."""
RENEWAL_SECONDS = 3.0
"""Pause after an outage of the store, in which other workers renew the leases that expired meanwhile."""


class WorkerOptions(NamedTuple):
    """Options of a worker."""

    queues: Sequence[str]
    places: int  # jobs at the same time
    tenant_limit: int | None = None  # jobs of one tenant at the same time, over all workers
    poll_seconds: float = POLL_SECONDS
    # True: jobs come by `run_job`, to which a place that becomes free is left at first
    awaits_rings: bool = False


class JobWorker:
    """Works on jobs in the event loop in which it runs; `wake` may be called from any thread."""

    def __init__(
        self,
        jobs: JobStorePort,
        execution: JobExecution,
        heartbeat: LeaseHeartbeat,
        admitted: Callable[[], int],  # recordings that the transcriber has, of jobs and of waiting callers
        options: WorkerOptions,
    ) -> None:
        self._jobs = jobs
        self._execution = execution
        self._heartbeat = heartbeat
        self._admitted = admitted
        self._options = options
        self._tasks: set[asyncio.Task[None]] = set()
        self._store_was_away = False
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self._claiming = asyncio.Lock()  # one claim at a time: each counts the free places
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Claim and work until this is cancelled; then queue the jobs at work again.

        An unavailable store delays the work.
        """
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                self._news.clear()
                if not await self._claim_due():
                    await _heard(self._news, self._options.poll_seconds)
        finally:
            await self._stop()

    async def run_one(self) -> UUID | None:
        """Claim the job that is due first, and work on it; return its id, None if none is due.

        Raises:
            JobStoreUnavailableError: no job can be claimed.
        """
        leases = await self._leased(limit=1)
        for lease in leases:
            await _finished(self._begin(lease))
        return leases[0].job.id if leases else None

    async def run_job(self, job_id: UUID) -> bool:
        """Answer a ring: wait for a free place, claim a job and work on it.

        Tenants take turns, so the job may be another one than the ring's, which is left to the other's ring:
        each ring claims a job, also if its own is at work. That one is looked at: it may have been cancelled.

        Returns:
            False if no job is due: other rings have taken all, or they have ended.
        """
        if self._heartbeat.holds(job_id):
            self._heartbeat.renew_now()
        async with self._claiming:
            await self._free_place()
            tasks = [self._begin(each) for each in await self._claim(limit=1)]
        for task in tasks:
            await _finished(task)
        return bool(tasks)

    def wake(self, job_id: UUID) -> None:
        """Look for due jobs now, and, if the job is at work here, whether it has been cancelled."""
        if self._heartbeat.holds(job_id):
            self._heartbeat.renew_now()
        elif self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    @property
    def at_work(self) -> int:
        """Number of jobs at work."""
        return len(self._tasks)

    async def _claim_due(self) -> bool:
        """Start as many jobs as there are free places; True if there may be more."""
        async with self._claiming:
            free = self._free_places()
            if not free:
                return False
            leases: tuple[JobLease, ...] = ()
            with logging_exceptions("unexpected error while claiming jobs"):
                leases = await self._claim(limit=free)
            for lease in leases:
                self._begin(lease, is_rung=False)
        return len(leases) == free and bool(self._free_places())

    async def _free_place(self) -> None:
        while not self._free_places():
            self._ended.clear()
            await _heard(self._ended, POLL_SECONDS)  # callers who wait for an answer leave without a word

    def _free_places(self) -> int:
        """Leave callers who wait for an answer the places that they have taken."""
        return max(0, self._options.places - max(len(self._tasks), self._admitted()))

    async def _claim(self, *, limit: int) -> tuple[JobLease, ...]:
        """Lease jobs; none while the store is unavailable."""
        try:
            return await self._leased(limit=limit) if await self._may_claim() else ()
        except JobStoreUnavailableError as error:
            logger.warning("no job claimed, the store of jobs is unavailable", extra={"error": str(error)})
            self._store_was_away = True
            return ()

    async def _leased(self, *, limit: int) -> tuple[JobLease, ...]:
        claim = partial(
            self._jobs.claim,
            self._options.queues,
            limit=limit,
            lease_seconds=self._heartbeat.lease_seconds,
            tenant_limit=self._options.tenant_limit,
        )
        claiming = asyncio.ensure_future(asyncio.to_thread(claim))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            await self._give_back(claiming)
            raise

    async def _give_back(self, claiming: "asyncio.Future[tuple[JobLease, ...]]") -> None:
        """Wait for a claim that is on its way: its leases would have no worker."""
        await asyncio.wait({claiming})
        if claiming.exception() is None:
            for lease in claiming.result():
                await self._execution.give_back(lease)

    async def _may_claim(self) -> bool:
        """Take no job over that its worker would keep: leases expire while the store is unavailable.

        Neither does a process that was stopped take over its own jobs, before it has renewed their leases.
        """
        if self._store_was_away:
            try:
                await asyncio.to_thread(self._jobs.counts)
            except JobStoreUnavailableError:
                return False
            await asyncio.sleep(RENEWAL_SECONDS)
            self._store_was_away = False
        return self._heartbeat.is_current

    def _begin(self, lease: JobLease, *, is_rung: bool = True) -> asyncio.Task[None]:
        """Start work on a job, which ends when its lease is lost; `is_rung`: a call waits for its end."""
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(self._execution.run(lease))
        self._tasks.add(task)
        self._heartbeat.hold(lease, lambda: loop.call_soon_threadsafe(task.cancel))
        task.add_done_callback(partial(self._end, lease, is_rung=is_rung))
        return task

    def _end(self, lease: JobLease, task: "asyncio.Task[None]", *, is_rung: bool) -> None:
        self._heartbeat.release(lease)
        self._tasks.discard(task)
        self._ended.set()
        self._offer_place(task.get_loop(), is_rung=is_rung)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("unexpected error of a worker; its job is taken over later", exc_info=error)

    def _offer_place(self, loop: asyncio.AbstractEventLoop, *, is_rung: bool) -> None:
        """Look for the next job: at once where no rings come, else soon, unless a ring has brought the last.

        Jobs that polls find may have lost their rings: the next ring has a moment, and then a poll follows.
        """
        if not self._options.awaits_rings:
            self._news.set()
        elif not is_rung:
            loop.call_later(POLL_SECONDS, self._news.set)

    async def _stop(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _heard(news: asyncio.Event, seconds: float) -> None:
    """Wait for news or for the time to pass; Python 3.11's `wait_for` may lose a cancellation."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await news.wait()


async def _finished(task: "asyncio.Task[None]") -> None:
    """Wait for the work on a job, which may be cancelled alone; cancelling the wait cancels the work."""
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        raise
