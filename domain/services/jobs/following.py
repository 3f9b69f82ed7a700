"""Following jobs: callers wait for the next change of a job; one query serves all of them."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from typing import TYPE_CHECKING

from domain.model.errors import JobStoreUnavailableError
from domain.services.resilience.background import logging_exceptions
from ports.job_store_port import JobStorePort

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25
"""Longest delay until a change is noticed."""


class JobFollower:
    """Watches the revisions of jobs that callers wait for; used in one event loop."""

    def __init__(self, jobs: JobStorePort, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._jobs = jobs
        self._poll_seconds = poll_seconds
        self._watchers: defaultdict[UUID, set[_Watcher]] = defaultdict(set)
        self._polling: asyncio.Task[None] | None = None

    async def changed(self, job_id: "UUID", revision: int, *, timeout_seconds: float) -> bool:
        """Wait until a job has another revision, or does not exist any more; False after the time-out."""
        with self._watching(job_id, revision) as watcher:
            try:
                async with asyncio.timeout(timeout_seconds):
                    await watcher.changed.wait()
            except TimeoutError:
                return False
            return True

    @contextlib.contextmanager
    def _watching(self, job_id: "UUID", revision: int) -> "Iterator[_Watcher]":
        watcher = _Watcher(revision)
        self._watchers[job_id].add(watcher)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            yield watcher
        finally:
            self._watchers[job_id].discard(watcher)
            if not self._watchers[job_id]:
                del self._watchers[job_id]

    async def _poll(self) -> None:
        """Compare revisions for as long as there are watchers."""
        while self._watchers:
            with logging_exceptions("unexpected error while following jobs"):
                await self._compare()
            await asyncio.sleep(self._poll_seconds)

    async def _compare(self) -> None:
        asked = [(job_id, watcher) for job_id, each in self._watchers.items() for watcher in each]
        try:
            revisions = await asyncio.to_thread(self._jobs.revisions, tuple(self._watchers))
        except JobStoreUnavailableError as error:
            logger.warning("jobs cannot be followed, retrying", extra={"error": str(error)})
            return
        for job_id, watcher in asked:
            if revisions.get(job_id) != watcher.revision:
                watcher.changed.set()


class _Watcher:
    """A caller that waits for another revision than the one it knows."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.changed = asyncio.Event()
