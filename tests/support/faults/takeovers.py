"""Jobs whose worker stops or dies, and the worker that takes them over; tests and the chaos run share it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from sqlalchemy import Row, select

from adapters.sql.schema.tables import jobs as rows
from domain.model.jobs import JobState
from tests.integration.localstack import SHARED_FOLDER
from tests.support.brokers.workers import WorkerProcess, WorkSite
from tests.support.faults.held_engine import HeldEngine
from tests.support.faults.stopping import stop_between_writes
from tests.support.harness.service import wait_until

READY = "worker starts"


def row_of(site: WorkSite, job_id: UUID) -> Row[tuple[object, ...]]:
    """Read all columns of a job."""
    with site.container.database().engine.connect() as connection:
        found: Row[tuple[object, ...]] = connection.execute(select(rows).where(rows.c.id == job_id)).one()
    return found


def begin(site: WorkSite, engine: HeldEngine) -> tuple[WorkerProcess, UUID]:
    """Start a worker that is in the middle of a job."""
    worker = site.worker(**engine.environ).wait_for(READY)
    (job,) = site.submit()
    wait_until(lambda: engine.asked)
    return worker, job


def check_stopped_worker(site: WorkSite, engine: HeldEngine, pass_time: Callable[[], None]) -> None:
    """Stop a worker until another one has done its job, and check that it writes nothing when it goes on.

    `pass_time` returns once the lease of the stopped one has expired.
    """
    first, job = begin(site, engine)
    stop_between_writes(first.pid, site.environ["DATABASE_URL"])
    second = site.worker().wait_for(READY)
    pass_time()
    site.wait_until_all([job], JobState.COMPLETED)
    assert second.stop() == 0
    ended = row_of(site, job)

    engine.release()  # the answer is there when the first one goes on
    first.send(signal.SIGCONT)
    later = site.submit()
    site.wait_until_all(later, JobState.COMPLETED)
    assert first.stop() == 0

    assert row_of(site, job) == ended
    assert site.events() == sorted([job, *later])


def takeover_seconds(site: WorkSite, engine: HeldEngine) -> float:
    """Kill a worker in the middle of a job, and measure how long another one needs to begin it."""
    first, job = begin(site, engine)
    second = site.worker().wait_for(READY)
    first.kill()
    died = time.monotonic()
    second.wait_for("job started")
    seconds = time.monotonic() - died
    site.wait_until_all([job], JobState.COMPLETED)
    assert site.events() == [job]
    return seconds


@contextmanager
def own_site(**environ: str) -> Iterator[WorkSite]:
    """Provide a site outside of pytest."""
    with TemporaryDirectory(prefix="site-") as folder:
        os.environ[SHARED_FOLDER] = folder  # default folder of the tests' processes
        site = WorkSite(Path(folder), None, **environ)
        try:
            yield site
        finally:
            site.close()
