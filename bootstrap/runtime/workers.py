"""Workers of jobs in a process of their own: with transcriber, relay and maintenance."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit
from uuid import UUID

from bootstrap.capacity import worker_count
from bootstrap.container import Container, build_container
from bootstrap.injection import providers
from bootstrap.runtime.jobs import sweeping_jobs, working
from bootstrap.runtime.relay import relaying
from bootstrap.settings import Settings
from bootstrap.transports import has_bus
from domain.model.errors import JobStoreUnavailableError, OutboxUnavailableError
from domain.model.outbox import OutboxState
from domain.services.jobs.worker import JobWorker, WorkerOptions
from ports.outbox_port import OutboxPort

logger = logging.getLogger(__name__)

EVENT_SECONDS = 30.0
"""Longest time for which a worker of one job waits until the event of the job is published."""


def default_places(settings: Settings) -> int:
    """Return the number of jobs at the same time: JOB_WORKERS, which is 0 beside a `serve` without jobs."""
    return settings.job_workers or worker_count()


def worker_container(
    settings: Settings, queues: Sequence[str], places: int, *, awaits_rings: bool = False
) -> Container:
    """Build a container for a worker; each job at work has a place in the transcriber or its waiting room."""
    room = settings.model_copy(update={"transcriber_waiting_room": places})
    container = build_container(room if settings.transcriber_waiting_room is None else settings)
    options: WorkerOptions = container.job_worker_options()
    chosen = options._replace(queues=tuple(queues), places=places, awaits_rings=awaits_rings)
    container.job_worker_options.override(providers.Object(chosen))
    return container


def announce_worker(container: Container) -> None:
    """Log what the worker works with, without the passwords of database and broker."""
    settings: Settings = container.settings()
    options: WorkerOptions = container.job_worker_options()
    broker = settings.job_broker
    context = {
        "engine": settings.transcriber.value,
        "queues": ",".join(options.queues),
        "concurrency": options.places,
        "database": without_password(settings.database_url),
        "broker": broker and without_password(broker.get_secret_value()),
        "event_transport": str(container.event_transport()),
    }
    logger.info("worker starts", extra=context)


def without_password(url: str) -> str:
    """Return a URL without user, password and parameters."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@contextlib.asynccontextmanager
async def serving_jobs(container: Container) -> AsyncIterator[JobWorker]:
    """Provide a worker with all that it needs, and deliver events, while the context lasts."""
    transcriber = container.transcriber()
    await transcriber.start()
    try:
        with relaying(container), sweeping_jobs(container):
            async with working(container) as worker:
                yield worker
    finally:
        await transcriber.stop()


async def event_published(container: Container, job_id: UUID, *, seconds: float = EVENT_SECONDS) -> bool:
    """Wait until the event of a job has left the outbox; False if that takes longer, or cannot be read."""
    if not has_bus(container.event_transport()):
        return True
    try:
        job = await asyncio.to_thread(container.jobs().find, job_id)
        event_id = None if job is None else job.event_id
        return event_id is None or await _has_left(container.outbox(), event_id, seconds)
    except (JobStoreUnavailableError, OutboxUnavailableError):
        return False


async def _has_left(outbox: OutboxPort, event_id: UUID, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        record = await asyncio.to_thread(outbox.find, event_id)
        if record is None or record.state is not OutboxState.WAITING:
            return True
        await asyncio.sleep(0.1)
    return False
