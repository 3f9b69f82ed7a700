"""Jobs that a Celery worker completes in a second on Redis, beside tasks of bare Celery that do nothing.

A job is stored, claimed, read by a process of its own, transcribed by the canned engine, and completed with
its event. Its recording lasts a second: the figures are the cost of durable jobs, not of decoding. Four
threads send either; the time runs from the first message to the last end.
"""

import os
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from uuid import uuid4

from benchmarks.harness import in_turn, ratios
from benchmarks.report import Report, Target, compared
from domain.model.jobs import JobState
from tests.integration.localstack import SHARED_FOLDER
from tests.support.brokers.brokers import running
from tests.support.brokers.workers import WorkSite
from tests.support.databases.databases import postgresql_server
from tests.support.harness.service import wait_until

COUNT, ROUNDS = 400, 3
SENDERS, THREADS = 4, 4


def measure() -> Report:
    """Work by jobs on both databases and by bare tasks, in turn."""
    with (
        tempfile.TemporaryDirectory() as name,
        postgresql_server(Path(name)) as postgresql,
        running("redis", Path(name), own=True) as redis,
    ):
        os.environ[SHARED_FOLDER] = name  # default folder of the tests' processes
        folder = Path(name)
        ways: dict[str, Callable[[], float]] = {
            "bare Celery": partial(_tasks_a_second, redis.url, folder),
            "jobs, SQLite": lambda: _jobs_a_second(redis.url, folder, f"sqlite:///{name}/{uuid4()}.db"),
            "jobs, PostgreSQL": lambda: _jobs_a_second(redis.url, folder, postgresql.new_url()),
        }
        bare, *jobs = in_turn(ways, ROUNDS)
    return Report(
        tables=(compared([bare, *jobs], "a second", beside="bare Celery", digits=0),),
        targets=tuple(
            Target(f"{each.name}, of bare Celery", ratios(each, bare).median, at_least=0.5) for each in jobs
        ),
    )


def _jobs_a_second(broker: str, folder: Path, database: str) -> float:
    places = {"JOB_WORKERS": str(THREADS), "TRANSCRIBER_WORKERS": "2", "DATABASE_URL": database}
    site = WorkSite(folder / uuid4().hex, broker, **places)
    recording = _second_of_sound(folder)
    try:
        site.worker().wait_for("worker starts")
        site.wait_until_all(site.submit(THREADS), JobState.COMPLETED)
        counts, begun = site.container.jobs().counts, time.perf_counter()
        _send(partial(site.submit, recording=recording))
        wait_until(lambda: not any(counts()[:2]))
        return COUNT / (time.perf_counter() - begun)
    finally:
        site.close()


def _tasks_a_second(broker: str, folder: Path) -> float:
    done = folder / uuid4().hex
    environ = {**os.environ, "BROKER": broker, "DONE": str(done), "COUNT": str(COUNT)}
    command = (sys.executable, "-m", "celery", "-A", "benchmarks.bare_task", "worker", "--pool", "threads")
    with subprocess.Popen([*command, "-c", str(THREADS), "-l", "WARNING"], env=environ) as worker:
        try:
            from benchmarks.bare_task import app, nothing  # noqa: PLC0415 - Celery is slow to import

            app.conf.broker_url = broker
            wait_until(lambda: bool(app.control.ping(timeout=0.5)))
            begun = time.perf_counter()
            _send(lambda: nothing.delay(str(uuid4())))
            wait_until(done.exists)
            return COUNT / (time.perf_counter() - begun)
        finally:
            worker.terminate()


def _send(send: Callable[[], object]) -> None:
    with ThreadPoolExecutor(SENDERS) as threads:
        for sent in [threads.submit(send) for _ in range(COUNT)]:
            sent.result()


def _second_of_sound(folder: Path) -> Path:
    path = folder / "second.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(range(256)) * 125)
    return path
