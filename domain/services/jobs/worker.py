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
from domain.services.jobs.heartbeat import LEASE_SECONDS, LeaseHeartbeat
from domain.services.resilience.background import logging_exceptions
from ports.job_store_port import JobStorePort

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""Longest delay until a job is noticed that no bell has told of: added by another process, or due again."""


class WorkerOptions(NamedTuple):
    """Options of a worker."""

    queues: Sequence[str]
    places: int  # jobs at the same time
    tenant_limit: int | None = None  # jobs of one tenant at the same time, over all workers
    poll_seconds: float = POLL_SECONDS
    # True: jobs come by `run_job`, and a place that becomes free is left to the next of them until a poll
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
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
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
                    await self._wait()
        finally:
            await self._stop()

    async def run_one(self) -> UUID | None:
        """Claim the job that is due first, and work on it; return its id, None if none is due."""
        leases = await self._claim(limit=1)
        for lease in leases:
            await self._begin(lease)
        return leases[0].job.id if leases else None

    async def run_job(self, job_id: UUID) -> bool:
        """Answer a ring: wait for a free place, claim a job and work on it.

        Tenants take turns, so the job may be another one than the ring's, which is left to the other's ring.

        Returns:
            False if no job is due: another worker has it, or it has ended.
        """
        if job_id in self._tasks:
            self._heartbeat.renew_now()
            return False
        async with self._claiming:
            await self._free_place()
            tasks = [self._begin(each) for each in await self._claim(limit=1)]
        for task in tasks:
            await task
        return bool(tasks)

    def wake(self, job_id: UUID) -> None:
        """Look for due jobs now, and, if the job is at work here, whether it has been cancelled."""
        if job_id in self._tasks:
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
                self._begin(lease)
        return len(leases) == free and bool(self._free_places())

    async def _free_place(self) -> None:
        while not self._free_places():
            self._ended.clear()
            with contextlib.suppress(TimeoutError):  # callers who wait for an answer leave without a word
                await asyncio.wait_for(self._ended.wait(), POLL_SECONDS)

    def _free_places(self) -> int:
        """Leave callers who wait for an answer the places that they have taken."""
        return max(0, self._options.places - max(len(self._tasks), self._admitted()))

    async def _claim(self, *, limit: int) -> tuple[JobLease, ...]:
        claim = partial(
            self._jobs.claim,
            self._options.queues,
            limit=limit,
            lease_seconds=LEASE_SECONDS,
            tenant_limit=self._options.tenant_limit,
        )
        claiming = asyncio.ensure_future(asyncio.to_thread(claim))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:  # a claim that is on its way would be a lease without a worker
            for lease in await claiming:
                await self._execution.give_back(lease)
            raise
        except JobStoreUnavailableError as error:
            logger.warning("no job claimed, the store of jobs is unavailable", extra={"error": str(error)})
            return ()

    def _begin(self, lease: JobLease) -> asyncio.Task[None]:
        """Start work on a job, which ends when its lease is lost."""
        loop, job_id = asyncio.get_running_loop(), lease.job.id
        task = self._tasks[job_id] = asyncio.create_task(self._execution.run(lease))
        self._heartbeat.hold(lease, lambda: loop.call_soon_threadsafe(task.cancel))
        task.add_done_callback(lambda _: self._end(lease))
        return task

    def _end(self, lease: JobLease) -> None:
        self._heartbeat.release(lease)
        self._tasks.pop(lease.job.id, None)
        self._ended.set()
        if not self._options.awaits_rings:
            self._news.set()

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._news.wait(), self._options.poll_seconds)
        except TimeoutError:
            return

    async def _stop(self) -> None:
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
