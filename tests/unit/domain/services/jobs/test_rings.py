"""Worker that is told of jobs: it keeps to its places and to the turns of tenants, for all rings."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from domain.model.errors import TranscriberCrashedError
from domain.model.jobs import JobState
from domain.model.transcripts import Transcript
from domain.services.jobs import execution
from domain.services.jobs import worker as worker_module
from domain.services.jobs.worker import WorkerOptions
from domain.services.resilience.backoff import Backoff
from tests.support.brokers.rings import RungWorker
from tests.support.harness.jobs import TENANT, JobHarness
from tests.support.harness.service import eventually
from tests.support.samples.jobs import QUEUE

pytestmark = pytest.mark.slow


async def test_a_ring_is_answered_with_its_job(tmp_path: Path) -> None:
    site = RungWorker(tmp_path, places=1)
    job = site.submit()

    assert await site.worker.run_job(job)

    assert site.state(job) is JobState.COMPLETED


async def test_a_ring_for_no_job_and_a_doubled_one_change_nothing(tmp_path: Path) -> None:
    site = RungWorker(tmp_path, places=1)
    job = site.submit()
    await site.worker.run_job(job)

    assert not await site.worker.run_job(job)
    assert not await site.worker.run_job(uuid4())


@pytest.mark.parametrize("end", ["completed", "cancelled", "erased"])
async def test_a_ring_that_comes_an_hour_after_the_end_changes_nothing(harness: JobHarness, end: str) -> None:
    worker, job = harness.worker(WorkerOptions((QUEUE,), places=1, awaits_rings=True)), harness.submit()
    if end == "cancelled":
        harness.service.cancel(TENANT, job.id)
    else:
        await worker.run_job(job.id)
    harness.clock.advance(3600)
    if end == "erased":
        harness.service.erase(TENANT, job.id, requested_by="alice")
    before, events = harness.jobs.find(job.id), harness.events()

    harness.heartbeat.start()  # a process that is alive renews its leases, and so may claim
    await eventually(lambda: harness.heartbeat.is_current)
    assert not await worker.run_job(job.id)
    harness.heartbeat.stop()

    assert harness.jobs.find(job.id) == before
    assert harness.events() == events


async def test_rings_of_one_tenant_leave_the_second_place_to_another(tmp_path: Path) -> None:
    site, tenant = RungWorker(tmp_path, places=2), uuid4()
    site.transcriber.held = True
    many = [site.submit(tenant) for _ in range(3)]
    other = site.submit(uuid4())

    rung = [asyncio.create_task(site.worker.run_job(each)) for each in many]  # in the order of submission

    await eventually(lambda: len(site.transcriber.heard) == 2)
    assert site.state(many[0]) is JobState.PROCESSING
    assert site.state(other) is JobState.PROCESSING
    assert site.state(many[1]) is JobState.QUEUED
    site.transcriber.let_go()
    assert await asyncio.gather(*rung) == [True] * 3


async def test_a_ring_waits_for_a_free_place(tmp_path: Path) -> None:
    site = RungWorker(tmp_path, places=1)
    site.transcriber.held = True
    first, second = site.submit(), site.submit()
    rung = [asyncio.create_task(site.worker.run_job(each)) for each in (first, second)]
    await eventually(lambda: len(site.transcriber.heard) == 1)
    assert site.state(second) is JobState.QUEUED

    site.transcriber.let_go()

    assert await asyncio.gather(*rung) == [True, True]


async def test_a_ring_for_a_job_at_work_takes_the_job_that_another_ring_left(tmp_path: Path) -> None:
    site = RungWorker(tmp_path, places=2)
    site.transcriber.held = True
    first, second = site.submit(), site.submit()

    rung = [asyncio.create_task(site.worker.run_job(second))]  # which takes the first job: it is due first
    await eventually(lambda: site.state(first) is JobState.PROCESSING)
    rung.append(asyncio.create_task(site.worker.run_job(first)))

    await eventually(lambda: site.state(second) is JobState.PROCESSING)
    site.transcriber.let_go()
    assert await asyncio.gather(*rung) == [True, True]


async def test_a_place_that_becomes_free_is_left_to_the_next_ring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 3600)
    site = RungWorker(tmp_path, places=1)
    site.transcriber.held = True
    first = site.submit()
    polling = asyncio.create_task(site.worker.run())
    await eventually(lambda: len(site.transcriber.heard) == 1)
    second = site.submit()
    site.transcriber.let_go()
    await site.until(first, JobState.COMPLETED)

    assert await site.worker.run_job(second), "the poll did not take it"

    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)


async def test_jobs_that_no_ring_tells_of_follow_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "POLL_SECONDS", 0.01)
    site = RungWorker(tmp_path, places=2)
    jobs = [site.submit() for _ in range(12)]

    polling = asyncio.create_task(site.worker.run())  # looks once in an hour

    for job in jobs:
        await site.until(job, JobState.COMPLETED)
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)


async def test_a_try_after_a_failure_waits_for_no_poll(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "RETRY", Backoff(0.5, 0.5, least=1.0))
    site, errors = RungWorker(tmp_path, places=1), [TranscriberCrashedError("died")]
    transcribe = site.transcriber.transcribe

    async def fail_once(recording: Path) -> Transcript:
        if errors:
            raise errors.pop()
        return await transcribe(recording)

    monkeypatch.setattr(site.transcriber, "transcribe", lambda recording, **_: fail_once(recording))
    job = site.submit()
    site.container.job_bell().listen(site.worker.wake)
    await site.worker.run_job(job)

    polling = asyncio.create_task(site.worker.run())  # looks now, and then once in an hour

    await site.until(job, JobState.COMPLETED)
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)


async def test_work_that_is_cancelled_twice_is_queued_again(tmp_path: Path) -> None:
    site = RungWorker(tmp_path, places=1)
    site.transcriber.held = True
    job = site.submit()
    rung = asyncio.create_task(site.worker.run_job(job))
    await eventually(lambda: len(site.transcriber.heard) == 1)
    (work,) = site.worker._tasks

    work.cancel()
    await asyncio.sleep(0)
    work.cancel()
    await asyncio.gather(rung, work, return_exceptions=True)

    assert site.state(job) is JobState.QUEUED
