"""Workers as processes on one database and one broker, and callers who submit jobs to them."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self
from uuid import UUID, uuid4

from adapters.celery.app import Broker
from adapters.celery.bell import CeleryBell
from bootstrap.container import build_container
from bootstrap.settings import Settings
from domain.model.identity import Identity
from domain.model.jobs import JobState
from domain.model.metadata import Metadata
from domain.services.jobs.jobs import JobRequest
from tests.support.aws.silence import silent_endpoint
from tests.support.faults.servers import CREDENTIALS, ROOT
from tests.support.harness.installed_command import PROGRAM, clean_environment
from tests.support.harness.service import wait_until

RECORDING = ROOT / "entrypoints/cli/recordings/demo.ogg"
JOB_SECONDS = 300.0
"""Generous limit of a job of ten seconds: the machine may be busy."""
CELERY = (sys.executable, "-m", "celery", "-A", "entrypoints.worker", "worker", "--pool", "threads")


class WorkerProcess:
    """Worker that leads its own process group, and logs to a file."""

    def __init__(self, command: Sequence[str], log: Path, environ: dict[str, str]) -> None:
        self._log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environ, stdout=file, stderr=file, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """Process, and process group, of the worker."""
        return self._process.pid

    @property
    def log(self) -> str:
        """Return all that the worker has written."""
        return self._log.read_text(errors="replace")

    def wait_for(self, *words: str) -> Self:
        """Wait until the log contains all the words."""
        wait_until(lambda: all(word in self.log for word in words) or self._has_ended, seconds=JOB_SECONDS)
        assert all(word in self.log for word in words), self.log[-3000:]
        return self

    def send(self, number: signal.Signals) -> None:
        """Send the process group a signal, and do not wait for its effect."""
        os.killpg(self._process.pid, number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the process a signal, and return its exit code."""
        self._process.send_signal(number)
        return self.wait()

    @property
    def is_running(self) -> bool:
        """False once the process has ended."""
        return not self._has_ended

    def wait(self) -> int:
        """Wait for the end of the process, and return its exit code."""
        return self._process.wait(JOB_SECONDS)

    def kill(self) -> None:
        """Kill the process and its children, as a power failure would."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def _has_ended(self) -> bool:
        return self._process.poll() is not None


class WorkSite:
    """Database and broker that workers and callers share.

    Args:
        folder: its own.
        broker: URL; None: there is none.
        environ: variables of all workers.
    """

    def __init__(self, folder: Path, broker: str | None, **environ: str) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)
        self._workers: list[WorkerProcess] = []
        self.queue = f"q-{uuid4().hex[:12]}"  # its own on a broker that tests share
        self.environ = {
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": f"sqlite:///{folder}/jobs.db",
            "TRANSCRIBER": "canned",
            "TRANSCRIBER_WORKERS": "1",
            "JOB_WORKERS": "2",
            "JOB_QUEUE": self.queue,
            "EVENT_TRANSPORT": "eventbridge",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",  # no bus there: events stay in the outbox
            "AWS_REGION": "us-east-1",
            "LOG_FORMAT": "console",
            **CREDENTIALS,
            **({"JOB_BROKER": broker} if broker else {}),
            **environ,
        }
        settings = Settings.from_env(self.environ)
        self.container = build_container(settings)
        self.broker = Broker(broker or "", settings.aws_region, settings.aws_endpoint_url)

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.kill()

    def worker(self, *arguments: str, **environ: str) -> WorkerProcess:
        """Start `transcripts worker`."""
        return self._start((str(PROGRAM), "worker", *arguments), environ)

    def worker_on(self, core: int) -> WorkerProcess:
        """Start `transcripts worker` as on a machine of one core, which is one of this machine's."""
        return self._start(("taskset", "--cpu-list", str(core), str(PROGRAM), "worker"), {})

    def dying_worker(self, *arguments: str, **environ: str) -> WorkerProcess:
        """Start `transcripts worker` in a process that kills itself (see `tests.support.faults.dying`)."""
        command = (sys.executable, "-m", "tests.support.faults.dying", *arguments, "worker")
        return self._start(command, environ)

    def celery_worker(self, *arguments: str, **environ: str) -> WorkerProcess:
        """Start a worker with Celery's own command."""
        return self._start((*CELERY, *arguments), environ)

    def submit(
        self, count: int = 1, *, recording: Path = RECORDING, metadata: Metadata | None = None
    ) -> list[UUID]:
        """Submit recordings, each of a tenant of its own; return the ids of the jobs."""
        return [self._submit(recording, metadata or {}) for _ in range(count)]

    def bell(self) -> CeleryBell:
        """Return another bell of the broker."""
        return CeleryBell(self.broker)

    def states(self, jobs: Sequence[UUID]) -> list[JobState | None]:
        """Return the states of jobs."""
        found = (self.container.jobs().find(each) for each in jobs)
        return [None if job is None else job.state for job in found]

    def wait_until_all(self, jobs: Sequence[UUID], state: JobState, *, seconds: float = JOB_SECONDS) -> None:
        """Wait until all jobs are in a state."""
        wait_until(lambda: set(self.states(jobs)) == {state}, seconds=seconds)

    def events(self) -> list[UUID]:
        """Return the interaction ids of all events, in order."""
        return sorted(each.interaction_id for each in self.container.outbox().records())

    def _submit(self, recording: Path, metadata: Metadata) -> UUID:
        file = self._folder / f"{uuid4()}{recording.suffix}"
        shutil.copy(recording, file)
        request = JobRequest(Identity(uuid4(), "alice", None), uuid4(), metadata=metadata)
        return self.container.job_service().submit(file, request).id

    def _start(self, command: Sequence[str], environ: dict[str, str]) -> WorkerProcess:
        log = self._folder / f"worker-{len(self._workers)}.log"
        worker = WorkerProcess(command, log, clean_environment(**{**self.environ, **environ}))
        self._workers.append(worker)
        return worker


@contextmanager
def engine_without_answer() -> Iterator[dict[str, str]]:
    """Yield the variables of an engine that never answers: a job of its worker stays at work."""
    with silent_endpoint() as url:
        yield {"TRANSCRIBER": "openai", "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "sk-none"}
