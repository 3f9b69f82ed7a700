"""Jobs that a worker completes in a second, from the submission to the event in the outbox, by database.

The transcriber answers at once: the figures are the cost of the durable job itself, in one process.
"""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

from adapters.files.recordings import FolderRecordingStore
from adapters.in_memory import (
    InMemoryErasures,
    InMemoryIdempotency,
    InMemoryJobs,
    InMemoryOutbox,
    InProcessBell,
)
from adapters.scratch import ScratchFolders
from adapters.sql.jobs.jobs import SqlJobs
from benchmarks.harness import in_turn
from benchmarks.report import Report, compared
from bootstrap.factories.database import prepare_database
from domain.model.identity import Identity
from domain.services.erasure.eraser import Eraser
from domain.services.jobs.execution import JobExecution
from domain.services.jobs.heartbeat import LeaseHeartbeat
from domain.services.jobs.jobs import JobRequest, JobService
from domain.services.jobs.sources import RecordingSources
from domain.services.jobs.worker import JobWorker, WorkerOptions
from tests.support.databases.databases import postgresql_server
from tests.support.doubles.transcription import CallbackCleaner, FixedTranscriber
from tests.support.samples.jobs import ANNOUNCEMENT, QUEUE, an_owner

JOBS, ROUNDS = 300, 3
SUBMITTERS, PLACES = 4, 4


def measure() -> Report:
    """Work on SQLite and on PostgreSQL in turn."""
    with tempfile.TemporaryDirectory() as name, postgresql_server(Path(name)) as postgresql:
        urls = {"SQLite": f"sqlite:///{name}/a.db", "PostgreSQL": postgresql.new_url()}
        ways: dict[str, Callable[[], float]] = {
            database: partial(_rate, url, Path(name)) for database, url in urls.items()
        }
        table = compared(in_turn(ways, ROUNDS), "jobs/s", beside="SQLite")
    return Report(tables=(table,))


def _rate(url: str, folder: Path) -> float:
    database = prepare_database(url)
    try:
        return asyncio.run(_jobs_a_second(SqlJobs(database), folder))
    finally:
        database.close()


async def _jobs_a_second(jobs: SqlJobs, folder: Path) -> float:
    recordings = FolderRecordingStore(folder / "recordings", owner=an_owner())
    sources = RecordingSources(recordings, {}, ScratchFolders(folder / "scratch").folder)
    bell, transcriber = InProcessBell(), FixedTranscriber(capacity=PLACES)
    outbox = InMemoryOutbox()
    nothing_erased = InMemoryErasures(InMemoryJobs(outbox), outbox, InMemoryIdempotency())
    eraser = Eraser(nothing_erased, recordings, None, announces=False, wake=lambda: None)
    service = JobService(jobs, recordings, sources, bell, ANNOUNCEMENT, eraser, queue=QUEUE)
    execution = JobExecution(jobs, recordings, sources, transcriber, CallbackCleaner(), ANNOUNCEMENT, bell)
    options = WorkerOptions((QUEUE,), places=PLACES)
    uploads = _uploads(folder)
    with _beating(LeaseHeartbeat(jobs)) as heartbeat:
        worker = JobWorker(jobs, execution, heartbeat, lambda: transcriber.state().admitted, options)
        bell.listen(worker.wake)
        working = asyncio.create_task(worker.run())
        begun = time.perf_counter()
        await asyncio.gather(*(asyncio.to_thread(_submit, service, uploads) for _ in range(SUBMITTERS)))
        while any((await asyncio.to_thread(jobs.counts))[:2]):  # noqa: ASYNC110 - no event signals it
            await asyncio.sleep(0.01)
        seconds = time.perf_counter() - begun
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    return JOBS / seconds


@contextlib.contextmanager
def _beating(heartbeat: LeaseHeartbeat) -> Iterator[LeaseHeartbeat]:
    heartbeat.start()
    try:
        yield heartbeat
    finally:
        heartbeat.stop()


def _uploads(folder: Path) -> list[Path]:
    files = [folder / uuid4().hex for _ in range(JOBS)]
    for file in files:
        file.write_bytes(b"sound" * 1000)
    return files


def _submit(service: JobService, uploads: list[Path]) -> None:
    tenant = Identity(uuid4(), "user", None)
    with contextlib.suppress(IndexError):
        while True:
            service.submit(uploads.pop(), JobRequest(tenant, uuid4()))
