"""Following jobs: until they have ended, through outages, and what Ctrl-C leaves."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from bootstrap.container import Container, build_container
from bootstrap.settings import Settings
from domain.model.errors import JobNotFoundError, JobStoreUnavailableError
from domain.model.identity import Identity
from domain.model.jobs import Job, JobOrder, JobProgress, JobQuery, JobResult, JobStage, JobState
from entrypoints.cli.commands import jobs_watch
from entrypoints.cli.commands.jobs_watch import _follow, how_to_come_back
from tests.support.doubles.transcription import SPOKEN
from tests.support.harness.installed_command import running
from tests.support.harness.service import eventually

pytestmark = pytest.mark.slow

RESULT = JobResult(transcript=SPOKEN, cleaned_text="Hello. The world.", cleaner="rules")


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    container = build_container(Settings.from_env({"DATA_DIR": str(tmp_path), "EVENT_TRANSPORT": "noop"}))
    yield container
    container.database().close()


def add(container: Container) -> Job:
    return container.jobs().add(
        JobOrder(uuid4(), Identity(uuid4(), "alice", None), "cpu", source_url="https://host/call.wav")
    )


async def test_a_job_is_followed_through_its_stages_to_its_end(
    container: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    job, jobs, told = add(container), container.jobs(), ""

    def tells(text: str) -> bool:
        nonlocal told
        told += capsys.readouterr().err
        return text in told

    following = asyncio.create_task(_follow(container, [job, job]))
    await eventually(lambda: tells("call.wav: queued"))
    (lease,) = jobs.claim(["cpu"], limit=1, lease_seconds=60)
    jobs.advance(lease, JobProgress(JobStage.FETCHING))
    await eventually(lambda: tells("call.wav: fetching"))
    jobs.advance(lease, JobProgress(JobStage.TRANSCRIBING, 1.0, 3.5, 5.0))
    await eventually(lambda: tells("call.wav: processing"))
    jobs.complete(lease, RESULT, None)
    ended = await following

    assert [each.state for each in ended.values() if isinstance(each, Job)] == [JobState.COMPLETED]
    assert tells("call.wav: completed, 0:04 of sound in ")
    assert told.count("queued") == told.count("processing") == 1


async def test_a_job_that_is_erased_meanwhile_is_told(container: Container) -> None:
    job = add(container)
    tenant_id = job.order.identity.tenant_id
    container.job_service().cancel(tenant_id, job.id)
    container.job_service().erase(tenant_id, job.id, requested_by="alice")

    ended = await _follow(container, [job])

    assert isinstance(ended[job.id], JobNotFoundError)


async def test_an_outage_of_the_database_delays_the_answer(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, jobs, failures = add(container), container.jobs(), 0
    monkeypatch.setattr(jobs_watch, "OUTAGE_SECONDS", 0.01)
    find = jobs.find

    def find_at_the_third_try(job_id: UUID) -> Job | None:
        nonlocal failures
        failures += 1
        if failures < 3:
            raise JobStoreUnavailableError("away")
        return find(job_id)

    monkeypatch.setattr(jobs, "find", find_at_the_third_try)
    (lease,) = jobs.claim(["cpu"], limit=1, lease_seconds=60)
    jobs.complete(lease, RESULT, None)

    ended = await _follow(container, [job])

    assert isinstance(ended[job.id], Job)
    assert failures == 3


def test_the_way_back_names_all_jobs() -> None:
    one, two = uuid4(), uuid4()

    assert how_to_come_back([one]).startswith("Interrupted. The job goes on; to come back:\n")
    assert how_to_come_back([one, two]).endswith(f"transcripts jobs watch {one} {two}")


@pytest.mark.process
@pytest.mark.parametrize("command", ["watch", "submit"])
def test_ctrl_c_leaves_the_jobs_and_says_how_to_come_back(
    container: Container, tmp_path: Path, command: str
) -> None:
    (tmp_path / "call.wav").write_bytes(b"sound")
    container.database()
    waiting = [add(container).id] if command == "watch" else []
    arguments: list[object] = [*waiting] or [tmp_path / "call.wav", "--wait"]
    environ = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/transcripts.db",
        "EVENT_TRANSPORT": "noop",
    }

    with running("jobs", command, *map(str, arguments), environ=environ) as process:
        assert process.stderr is not None
        while "queued" not in (line := process.stderr.readline()):
            assert line, "it ended"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=300)

    (job,) = container.job_service().page(JobQuery(None)).jobs
    assert process.returncode == 130
    assert told.endswith(f"transcripts jobs watch {job.id}\n")
    assert job.state is JobState.QUEUED
