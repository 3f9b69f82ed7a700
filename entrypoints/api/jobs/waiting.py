"""Waits for changes of a job: they end early when the process is about to end."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar
from uuid import UUID

from domain.model.errors import JobStoreUnavailableError
from domain.model.jobs import Job
from domain.services.jobs.following import JobFollower
from domain.services.jobs.jobs import JobService

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

MAX_STREAMS = 32
"""Streams of lists of one tenant in one process; each asks the database once a second."""


class JobWaits:
    """Waits of this process, for the end of which none of them is waited for."""

    def __init__(self) -> None:
        self._ending = asyncio.Event()
        self._streams = Counter[UUID]()  # of lists, by tenant

    @property
    def is_ending(self) -> bool:
        """True once `end` was called."""
        return self._ending.is_set()

    def end(self) -> None:
        """End all waits, and each one after them: the process is about to end."""
        self._ending.set()

    @contextlib.contextmanager
    def streaming(self, tenant_id: UUID) -> Iterator[bool]:
        """Keep a place for a stream of a list; False if the tenant has as many as one process serves."""
        if self._streams[tenant_id] >= MAX_STREAMS:
            yield False
            return
        self._streams[tenant_id] += 1
        try:
            yield True
        finally:
            self._streams -= Counter((tenant_id,))  # which forgets a tenant without streams

    async def pause(self, seconds: float) -> bool:
        """Wait for a while; False as soon as the process is about to end."""
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            return True
        return False

    async def unless_ending(self, work: Coroutine[Any, Any, Result]) -> Result | None:
        """Do work, and leave it where it is, with None, as soon as the process is about to end."""
        doing, ending = asyncio.ensure_future(work), asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
            return doing.result() if doing.done() else None
        finally:
            doing.cancel()
            ending.cancel()
            await asyncio.gather(doing, ending, return_exceptions=True)

    async def changed(self, follower: JobFollower, job: Job, *, timeout_seconds: float) -> bool:
        """Wait until a job has another revision, or is erased; False after the time-out, or at the end."""
        if self.is_ending or timeout_seconds <= 0:
            return False
        following = follower.changed(job.id, job.revision, timeout_seconds=timeout_seconds)
        return bool(await self.unless_ending(following))

    async def ended(
        self, follower: JobFollower, jobs: JobService, job: Job, *, timeout_seconds: float
    ) -> Job:
        """Wait until a job has ended, or the time-out is over; return the job as it is then.

        Where the store fails meanwhile, the job is returned as it was last: the caller must learn its id.

        Raises:
            JobNotFoundError: the job was erased meanwhile.
        """
        until = time.monotonic() + timeout_seconds
        try:
            while not job.state.is_final and await self.changed(
                follower, job, timeout_seconds=until - time.monotonic()
            ):
                job = await asyncio.to_thread(jobs.find, job.order.identity.tenant_id, job.id)
        except JobStoreUnavailableError as error:
            logger.warning("wait for a job ended, the store is unavailable", extra={"error": str(error)})
        return job
