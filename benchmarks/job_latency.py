"""Dispatch latency: from the acceptance of a job to its claim by a free worker, however it learns of the job.

Both moments are of the database's clock, so that the figures contain the COMMIT of the job and its answer.
"""

import contextlib
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import urllib3
from sqlalchemy import Engine, select

from adapters.sql.schema.tables import jobs as rows
from benchmarks.harness import percentile
from benchmarks.report import Report, Table, Target
from benchmarks.servers import service
from bootstrap.factories.database import prepare_database
from tests.integration.localstack import SHARED_FOLDER
from tests.support.brokers.brokers import running
from tests.support.brokers.workers import RECORDING, WorkSite
from tests.support.harness.service import wait_until

JOBS = 200
READY = "worker starts"
PAUSE_SECONDS = 0.25
"""As long as a poll: submissions come at all moments between two of them."""
TARGET_SECONDS = 0.5


def measure() -> Report:
    """Measure a worker inside of `serve`, one of another process, and one that Celery rings for."""
    latencies = {
        "in `serve`": _in_serve(),
        "`transcripts worker`, which polls": _of_worker(None),
        "`transcripts worker` with Redis": _with_redis(),
    }
    table = tuple(
        (name, *(f"{1000 * value:.0f}" for value in (percentile(each, 50), percentile(each, 99), max(each))))
        for name, each in latencies.items()
    )
    targets = tuple(
        Target(
            f"dispatch p99 of {TARGET_SECONDS} s, {name}", percentile(each, 99) / TARGET_SECONDS, at_most=1.0
        )
        for name, each in latencies.items()
    )
    return Report(
        tables=(Table(("from acceptance to claim, ms", "p50", "p99", "longest"), table),), targets=targets
    )


def _in_serve() -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/jobs.db"
        environ = {
            "EVENT_TRANSPORT": "noop",
            "TRANSCRIBER": "canned",
            "DATA_DIR": folder,
            "DATABASE_URL": url,
        }
        fields = {"file": ("a.ogg", RECORDING.read_bytes())}
        with service(environ) as server:
            client = urllib3.PoolManager()
            database = prepare_database(url)
            try:
                return _latencies(
                    database.engine,
                    lambda: client.request("POST", f"{server.url}/batch/jobs", fields=fields).status,
                )
            finally:
                database.close()


def _with_redis() -> list[float]:
    with tempfile.TemporaryDirectory() as folder, running("redis", Path(folder), own=True) as redis:
        return _of_worker(redis.url)


def _of_worker(broker: str | None) -> list[float]:
    with _site(broker) as site:
        site.worker().wait_for("ready." if broker else READY)
        return _latencies(site.container.database().engine, site.submit)


@contextlib.contextmanager
def _site(broker: str | None) -> Iterator[WorkSite]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ[SHARED_FOLDER] = folder  # default folder of the tests' processes
        site = WorkSite(Path(folder), broker)
        try:
            yield site
        finally:
            site.close()


def _latencies(engine: Engine, submit: Callable[[], object]) -> list[float]:
    """Submit one job after the other to a worker that is free, the first one to warm up."""
    chance = random.Random(7)  # noqa: S311 - moments, no secret
    for number in range(JOBS + 1):
        submit()
        wait_until(lambda ended=number + 1: _ended(engine) == ended)  # type: ignore[misc]  # in each round
        time.sleep(chance.uniform(0, PAUSE_SECONDS))
    query = select(rows.c.started_at - rows.c.created_at).order_by(rows.c.created_at)
    with engine.connect() as connection:
        return [float(each) for each in connection.execute(query).scalars()][1:]


def _ended(engine: Engine) -> int:
    with engine.connect() as connection:
        return len(connection.execute(select(rows.c.id).where(rows.c.finished_at.is_not(None))).all())
