"""Worker in a thread: other threads wait for the end of their jobs, and a stop queues these again."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from bootstrap.runtime.job_thread import JobThread
from domain.model.errors import TranscriberUnavailableError
from domain.model.jobs import JobState
from tests.support.brokers.rings import RungWorker
from tests.support.harness.service import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path: Path) -> RungWorker:
    return RungWorker(tmp_path, places=2)


@pytest.fixture
def thread(site: RungWorker) -> Iterator[JobThread]:
    """A thread that takes jobs by calls alone."""
    thread = JobThread(site.container)
    thread.start()
    site.container.job_bell().listen(None)  # jobs come from another process
    yield thread
    thread.stop()


def test_a_thread_looks_for_jobs_once_it_is_told_to(site: RungWorker) -> None:
    job, thread = site.submit(), JobThread(site.container)
    thread.start()
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.1), thread._loop).result()
    assert site.state(job) is JobState.QUEUED, "a signal may still end the process at once"

    thread.look_for_jobs()

    wait_until(lambda: site.state(job) is JobState.COMPLETED)
    thread.stop()
    thread.look_for_jobs()


def test_a_call_ends_when_its_job_has_ended(site: RungWorker, thread: JobThread) -> None:
    job = site.submit()

    thread.run(job)

    assert site.state(job) is JobState.COMPLETED


def test_a_stop_queues_jobs_again_and_ends_their_calls(site: RungWorker, thread: JobThread) -> None:
    site.transcriber.held = True
    jobs = [site.submit() for _ in range(4)]  # two wait for a place
    with ThreadPoolExecutor() as others:
        calls = [others.submit(thread.run, each) for each in jobs]
        wait_until(lambda: len(site.transcriber.heard) == 2)

        thread.stop_soon()

        assert [call.result(60) for call in calls] == [None] * 4
    thread.stop()
    assert {site.state(each) for each in jobs} == {JobState.QUEUED}


def test_a_stopped_worker_takes_no_job(site: RungWorker, thread: JobThread) -> None:
    thread.stop()
    job = site.submit()

    thread.run(job)
    thread.stop()

    assert site.state(job) is JobState.QUEUED


@pytest.fixture
def rung(site: RungWorker, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Jobs of which workers are told again."""
    rung: list[UUID] = []
    monkeypatch.setattr(
        site.container.job_bell(), "ring_again", lambda jobs: rung.extend(job for job, _ in jobs)
    )
    return rung


def test_a_stopped_worker_tells_others_of_jobs_that_wait_for_a_place(
    site: RungWorker, thread: JobThread, rung: list[UUID]
) -> None:
    site.transcriber.held = True
    jobs = [site.submit() for _ in range(3)]
    with ThreadPoolExecutor() as others:
        calls = [others.submit(thread.run, each) for each in jobs]
        wait_until(lambda: len(site.transcriber.heard) == 2)
        rung.clear()  # the maintenance tells of jobs, too
        thread.stop_soon()
        assert [call.result(60) for call in calls] == [None] * 3

    thread.stop()

    assert set(rung) == set(jobs)


def test_a_stopped_worker_tells_others_of_jobs_whose_rings_come_late(
    site: RungWorker, thread: JobThread, rung: list[UUID]
) -> None:
    thread.stop()
    job = site.submit()
    thread.run(job)
    assert rung == []

    thread.stop()

    assert rung == [job]


def test_a_worker_that_cannot_start_says_why(site: RungWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail() -> None:
        raise TranscriberUnavailableError("no model")

    monkeypatch.setattr(site.transcriber, "start", fail)
    thread = JobThread(site.container)

    with pytest.raises(TranscriberUnavailableError, match="no model"):
        thread.start()

    thread.stop()
    thread.run(uuid4())
