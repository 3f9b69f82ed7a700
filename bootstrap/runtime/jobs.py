"""Worker and maintenance of jobs in a process that also does other work."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from threading import Event, Thread

from bootstrap.container import Container
from bootstrap.runtime.outbox import require_database
from domain.services.jobs.jobs import JobService
from domain.services.jobs.worker import JobWorker


@contextlib.asynccontextmanager
async def working_on_jobs(container: Container) -> AsyncIterator[None]:
    """Run a worker and the maintenance of jobs while the context lasts.

    At the end, jobs at work are queued again, for another process or the next start. With JOB_WORKERS=0
    there is no worker here.
    """
    with sweeping_jobs(container):
        if not container.settings().job_workers:
            yield
            return
        async with working(container) as worker:
            task = asyncio.create_task(worker.run(), name="job-worker")
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def working(container: Container) -> AsyncIterator[JobWorker]:
    """Provide a worker whose leases are renewed, and that hears the bell, while the context lasts."""
    worker, heartbeat, bell = container.job_worker(), container.job_heartbeat(), container.job_bell()
    heartbeat.start()
    bell.listen(worker.wake)
    beating = asyncio.create_task(heartbeat.keep_beating(), name="job-heartbeat")
    try:
        yield worker
    finally:
        beating.cancel()
        bell.listen(None)
        heartbeat.stop()


@contextlib.contextmanager
def sweeping_jobs(container: Container) -> Iterator[None]:
    """Run the maintenance of jobs in a thread while the context lasts."""
    stop = Event()
    thread = Thread(target=container.job_sweeper().run, args=(stop,), name="job-sweeper")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def existing_jobs(container: Container) -> JobService:
    """Open the jobs of the service; do not create their database.

    A command might create it for the wrong user or in the wrong folder, and would find no job.

    Raises:
        ConfigurationError: there is no such file, or `DATABASE_URL` cannot be used.
        OutboxUnavailableError: the database cannot be reached, or refuses the connection.
    """
    require_database(container.settings().database_url)
    return container.job_service()
