"""A worker in this process whose jobs a test holds and lets go."""

from pathlib import Path
from uuid import UUID, uuid4

from dependency_injector import providers

from domain.model.identity import Identity
from domain.model.jobs import JobState
from domain.services.jobs.jobs import JobRequest
from domain.services.jobs.worker import JobWorker, WorkerOptions
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for, eventually

QUEUE = "cpu"


class RungWorker:
    """Worker that looks at the database only after a ring."""

    def __init__(self, folder: Path, *, places: int) -> None:
        self._file = folder / "recording"
        self.transcriber = FixedTranscriber(capacity=100)
        self.container = container_for(folder / "spool", self.transcriber, DATA_DIR=str(folder))
        options = WorkerOptions((QUEUE,), places, poll_seconds=3600, awaits_rings=True)
        self.container.job_worker_options.override(providers.Object(options))

    @property
    def worker(self) -> JobWorker:
        worker: JobWorker = self.container.job_worker()
        return worker

    def submit(self, tenant: UUID | None = None) -> UUID:
        """Submit a recording; return the id of its job."""
        self._file.write_bytes(b"sound")
        request = JobRequest(Identity(tenant or uuid4(), "alice", None), uuid4())
        job: UUID = self.container.job_service().submit(self._file, request).id
        return job

    def state(self, job_id: UUID) -> JobState:
        """Return the state of a job."""
        job = self.container.jobs().find(job_id)
        assert job is not None
        return job.state

    async def until(self, job_id: UUID, state: JobState) -> None:
        """Wait until a job is in a state."""
        await eventually(lambda: self.state(job_id) is state)
