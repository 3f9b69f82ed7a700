"""Jobs in memory: their store, recordings, transcriber and clock, which tests control, and a worker."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, RLock
from types import TracebackType
from uuid import UUID, uuid4

from adapters.files.recordings import FolderRecordingStore
from adapters.in_memory import (
    InMemoryErasures,
    InMemoryIdempotency,
    InMemoryJobs,
    InMemoryOutbox,
    InMemoryPayloadStore,
    InProcessBell,
)
from adapters.scratch import ScratchFolders
from domain.model.errors import JobStoreUnavailableError, RecordingStoreUnavailableError
from domain.model.events.kinds import EventKind
from domain.model.events.sent import StoredEvent
from domain.model.identity import Identity
from domain.model.jobs import Job, JobLease
from domain.model.transcripts import DEFAULT_OPTIONS, Segment, Transcript, TranscriptionOptions
from domain.services.erasure.eraser import Eraser
from domain.services.jobs.announcement import JobAnnouncement
from domain.services.jobs.execution import JobExecution
from domain.services.jobs.heartbeat import LeaseHeartbeat
from domain.services.jobs.jobs import JobRequest, JobService
from domain.services.jobs.sources import RecordingSources
from domain.services.jobs.worker import JobWorker, WorkerOptions
from ports.recording_source_port import RecordingSourcePort
from ports.transcriber_port import Checkpoint, Progress, ProgressListener, TranscriberPort, TranscriberState
from tests.support.databases.databases import Clock
from tests.support.doubles.delivery import seeded
from tests.support.doubles.transcription import CallbackCleaner
from tests.support.samples.factories import A_MOMENT
from tests.support.samples.jobs import QUEUE, an_owner

UNIT_SECONDS = 28.0
TENANT = uuid4()
ALICE = Identity(TENANT, "alice", None)


class _Switch:
    """Lock of a store that can be unavailable."""

    def __init__(self) -> None:
        self._lock = RLock()
        self.is_away = False

    def __enter__(self) -> None:
        if self.is_away:
            raise JobStoreUnavailableError("the database is away")
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


class SwitchableJobs(InMemoryJobs):
    """Store of jobs that can be unavailable, and counts questions for revisions."""

    def __init__(self, outbox: InMemoryOutbox, clock: Clock) -> None:
        super().__init__(outbox, clock)
        self._switch = _Switch()
        self._lock = self._switch  # type: ignore[assignment]  # as much of a lock as is used
        self.asked: list[Sequence[UUID]] = []

    def go_away(self) -> None:
        """Have every call fail from now on."""
        self._switch.is_away = True

    def come_back(self) -> None:
        """Have calls succeed again."""
        self._switch.is_away = False

    def revisions(self, job_ids: Sequence[UUID], /) -> dict[UUID, int]:
        self.asked.append(job_ids)
        return dict(super().revisions(job_ids))


class SwitchableRecordings(FolderRecordingStore):
    """Store of recordings that can be unavailable."""

    is_away = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, owner=an_owner())

    def put(self, recording: Path, /) -> str:
        self._check()
        return super().put(recording)

    def delete(self, key: str, /) -> None:
        self._check()
        super().delete(key)

    def stored(self) -> set[str]:
        """Return the keys of all recordings."""
        return set(self.keys(older_than_seconds=-60))

    def _check(self) -> None:
        if self.is_away:
            raise RecordingStoreUnavailableError("the disk is full")


class UnitTranscriber(TranscriberPort):
    """Transcriber of recordings that have three units; `before` is awaited before each unit."""

    def __init__(self) -> None:
        self.recognised: list[int] = []
        self.heard: list[bytes] = []
        self.at_work = 0
        self.most_at_work = 0
        self.before: Callable[[int], object] = lambda _unit: None

    async def transcribe(
        self,
        recording: Path,
        /,
        *,
        options: TranscriptionOptions = DEFAULT_OPTIONS,  # noqa: ARG002 - not looked at
        on_progress: ProgressListener | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Transcript:
        assert checkpoint
        assert on_progress
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            self.heard.append(recording.read_bytes())
            for unit in range(3):
                if checkpoint.find(f"unit-{unit}") is None:
                    await self._recognise(unit)
                    checkpoint.save(f"unit-{unit}", "{}")
                on_progress(Progress(UNIT_SECONDS * (unit + 1), UNIT_SECONDS * 3))
        finally:
            self.at_work -= 1
        return Transcript(
            duration_seconds=UNIT_SECONDS * 3, segments=(Segment(start=0, end=1, text="um hello"),)
        )

    async def _recognise(self, unit: int) -> None:
        waiting = self.before(unit)
        if asyncio.iscoroutine(waiting):
            await waiting
        self.recognised.append(unit)

    def check_capacity(self) -> None:
        """Admit every recording."""

    def state(self) -> TranscriberState:
        return TranscriberState(2, 2, self.at_work, 2)


class FileSource(RecordingSourcePort):
    """Source whose recording, or error, a test sets."""

    def __init__(self) -> None:
        self.sound = b"from afar"
        self.error: Exception | None = None
        self.fetched: list[str] = []

    def check(self, url: str, /) -> None:
        """Allow every URL."""

    def fetch(self, url: str, target: Path, cancelled: Event, /) -> None:
        assert not cancelled.is_set()
        self.fetched.append(url)
        if self.error is not None:
            raise self.error
        target.write_bytes(self.sound)


class JobHarness:
    """Everything that works on jobs, on one store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.outbox = InMemoryOutbox(self.clock)
        self.jobs = SwitchableJobs(self.outbox, self.clock)
        self.recordings = SwitchableRecordings(folder / "recordings")
        self.source = FileSource()
        scratch = ScratchFolders(folder / "fetched").folder
        self.sources = RecordingSources(self.recordings, {"https": self.source}, scratch)
        self.transcriber = UnitTranscriber()
        self.bell = InProcessBell()
        self.rung: list[UUID] = []
        self.bell.listen(self.rung.append)
        self.woken: list[bool] = []
        self.announcement = JobAnnouncement(
            kinds=tuple(EventKind), wake=lambda: self.woken.append(True), now=lambda: A_MOMENT
        )
        self.erasures = InMemoryErasures(self.jobs, self.outbox, InMemoryIdempotency(self.clock), self.clock)
        self.eraser = Eraser(
            self.erasures,
            self.recordings,
            InMemoryPayloadStore(),
            announces=True,
            wake=lambda: self.woken.append(True),
        )
        self.service = JobService(
            self.jobs,
            self.recordings,
            self.sources,
            self.bell,
            self.announcement,
            self.eraser,
            queue=QUEUE,
        )
        self.execution = JobExecution(
            self.jobs,
            self.recordings,
            self.sources,
            self.transcriber,
            CallbackCleaner(),
            self.announcement,
            self.bell,
            random=seeded(7),
        )
        self.heartbeat = LeaseHeartbeat(self.jobs, clock=self.clock)

    def worker(self, options: WorkerOptions | None = None) -> JobWorker:
        """Build a worker; its heartbeat is not started."""
        options = options or WorkerOptions((QUEUE,), places=2, poll_seconds=0.01)
        return JobWorker(self.jobs, self.execution, self.heartbeat, lambda: self.transcriber.at_work, options)

    def upload(self, sound: bytes = b"sound") -> Path:
        """Write an upload."""
        file = self.folder / f"upload-{uuid4().hex}"
        file.write_bytes(sound)
        return file

    def submit(self, sound: bytes = b"sound", *, identity: Identity = ALICE, key: str | None = None) -> Job:
        """Submit an upload."""
        self.clock.advance(0.001)
        request = JobRequest(identity, uuid4(), idempotency_key=key)
        return self.service.submit(self.upload(sound), request)

    def claim(self) -> JobLease:
        """Lease the job that is due first, as a worker would."""
        (lease,) = self.jobs.claim([QUEUE], limit=1, lease_seconds=40)
        return lease

    def job(self, job: Job | UUID) -> Job:
        """Read a job that exists."""
        found = self.jobs.find(job if isinstance(job, UUID) else job.id)
        assert found
        return found

    def events(self) -> list[StoredEvent]:
        """Return the events of the outbox."""
        return [record.event for record in self.outbox.records(limit=10_000) if record.event]
