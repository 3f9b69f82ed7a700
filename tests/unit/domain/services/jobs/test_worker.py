"""The worker: places, claims on their way at the end, single jobs, and leases that were lost."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from uuid import UUID, uuid4

import pytest

from domain.model.errors import JobStoreUnavailableError
from domain.model.jobs import JobLease, JobState
from domain.services.jobs import worker as worker_module
from domain.services.jobs.worker import JobWorker, WorkerOptions
from tests.support.harness.jobs import ALICE, JobHarness
from tests.support.harness.service import eventually
from tests.support.samples.jobs import QUEUE


class Gate:
    """Gate before each unit, which a test opens."""

    def __init__(self) -> None:
        self.is_open = asyncio.Event()

    async def __call__(self, _unit: int) -> None:
        await self.is_open.wait()


@contextlib.asynccontextmanager
async def running(worker: JobWorker) -> AsyncIterator[None]:
    """Run a worker while the context lasts."""
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def states(harness: JobHarness, *job_ids: UUID) -> list[JobState]:
    return [harness.job(job_id).state for job_id in job_ids]


async def test_jobs_are_completed_as_they_come(harness: JobHarness) -> None:
    async with running(harness.worker()):
        jobs = [harness.submit().id for _ in range(5)]
        await eventually(lambda: states(harness, *jobs) == [JobState.COMPLETED] * 5)

    assert {event.interaction_id for event in harness.events()} == set(jobs)


async def test_no_more_jobs_are_at_work_than_there_are_places(harness: JobHarness) -> None:
    gate = harness.transcriber.before = Gate()
    jobs = [harness.submit().id for _ in range(5)]
    worker = harness.worker()

    async with running(worker):
        await eventually(lambda: worker.at_work == harness.transcriber.at_work == 2)
        assert states(harness, *jobs).count(JobState.QUEUED) == 3
        gate.is_open.set()
        await eventually(lambda: states(harness, *jobs) == [JobState.COMPLETED] * 5)

    assert harness.transcriber.most_at_work == 2


async def test_places_that_waiting_callers_have_are_left_to_them(harness: JobHarness) -> None:
    job = harness.submit()
    harness.transcriber.at_work = 2  # recordings of callers

    async with running(harness.worker()):
        await asyncio.sleep(0.1)
        assert harness.job(job).state is JobState.QUEUED
        harness.transcriber.at_work = 1
        await eventually(lambda: harness.job(job).state is JobState.COMPLETED)


async def test_the_limit_of_a_tenant_leaves_places_free(harness: JobHarness) -> None:
    harness.transcriber.before = Gate()
    for _ in range(3):
        harness.submit()
    worker = harness.worker(WorkerOptions((QUEUE,), places=3, tenant_limit=1, poll_seconds=0.01))

    async with running(worker):
        await eventually(lambda: worker.at_work == 1)
        await asyncio.sleep(0.05)
        assert worker.at_work == 1


async def test_jobs_at_work_are_queued_again_at_the_end(harness: JobHarness) -> None:
    harness.transcriber.before = Gate()
    jobs = [harness.submit().id for _ in range(2)]
    worker = harness.worker()

    async with running(worker):
        await eventually(lambda: harness.transcriber.at_work == 2)

    assert states(harness, *jobs) == [JobState.QUEUED] * 2
    assert [harness.job(job).failures for job in jobs] == [0, 0]
    assert worker.at_work == 0


async def test_a_worker_that_ends_takes_none_of_its_jobs_again(harness: JobHarness) -> None:
    harness.transcriber.before = Gate()
    jobs = [harness.submit().id for _ in range(2)]
    worker = harness.worker()
    harness.bell.listen(worker.wake)
    harness.heartbeat.start()

    async with running(worker):
        await eventually(lambda: harness.transcriber.at_work == 2)

    harness.heartbeat.stop()
    assert states(harness, *jobs) == [JobState.QUEUED] * 2
    assert len(harness.transcriber.heard) == 2


async def test_the_end_is_not_lost_in_a_ring_of_the_bell(harness: JobHarness) -> None:
    worker = harness.worker(WorkerOptions((QUEUE,), places=2, poll_seconds=3600))
    task = asyncio.create_task(worker.run())
    await asyncio.sleep(0.05)

    worker.wake(uuid4())
    await asyncio.sleep(0)  # the ring and the end come together
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(task), 60)


async def test_a_claim_on_its_way_at_the_end_is_given_back(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = harness.submit()
    claim, claimed, may_answer = harness.jobs.claim, threading.Event(), threading.Event()

    def slow(*arguments: object, **named: object) -> tuple[JobLease, ...]:
        leases = claim(*arguments, **named)  # type: ignore[arg-type]
        claimed.set()
        may_answer.wait(60)
        return leases

    monkeypatch.setattr(harness.jobs, "claim", slow)
    task = asyncio.create_task(harness.worker().run())
    await eventually(claimed.is_set)
    task.cancel()
    await asyncio.sleep(0)
    may_answer.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (harness.job(job).state, harness.job(job).failures) == (JobState.QUEUED, 0)
    assert harness.transcriber.heard == []


async def test_a_claim_that_fails_at_the_end_is_no_error(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, claiming, may_fail = harness.jobs.claim, threading.Event(), threading.Event()

    def slow(*arguments: object, **named: object) -> tuple[JobLease, ...]:
        claiming.set()
        may_fail.wait(60)
        return claim(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(harness.jobs, "claim", slow)
    task = asyncio.create_task(harness.worker().run())
    await eventually(claiming.is_set)
    harness.jobs.go_away()
    task.cancel()
    await asyncio.sleep(0)
    may_fail.set()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_ring_is_answered_with_the_job_that_is_due_first(harness: JobHarness) -> None:
    first, second = harness.submit(), harness.submit()

    assert await harness.worker().run_job(second.id)

    assert states(harness, first.id, second.id) == [JobState.COMPLETED, JobState.QUEUED]


async def test_the_job_that_is_due_first_is_worked_on(harness: JobHarness) -> None:
    first, second = harness.submit(), harness.submit()
    worker = harness.worker()

    assert await worker.run_one()
    assert states(harness, first.id, second.id) == [JobState.COMPLETED, JobState.QUEUED]
    assert await worker.run_one()
    assert not await worker.run_one()


async def test_one_job_cannot_be_claimed_while_the_store_is_away(harness: JobHarness) -> None:
    harness.submit()
    harness.jobs.go_away()

    with pytest.raises(JobStoreUnavailableError):
        await harness.worker().run_one()


@pytest.mark.parametrize("state", ["leased", "completed", "unknown"])
async def test_a_job_that_is_not_due_is_left_alone(
    harness: JobHarness, caplog: pytest.LogCaptureFixture, state: str
) -> None:
    job_id = harness.submit().id if state != "unknown" else uuid4()
    if state == "leased":
        harness.claim()
    elif state == "completed":
        await harness.worker().run_job(job_id)
    events, heard = harness.events(), list(harness.transcriber.heard)
    caplog.clear()

    assert not await harness.worker().run_job(job_id)

    assert (harness.events(), harness.transcriber.heard) == (events, heard)
    assert caplog.messages == []


async def test_a_job_that_is_cancelled_ends_alone(harness: JobHarness) -> None:
    harness.transcriber.before = Gate()
    job, worker = harness.submit(), harness.worker()
    harness.bell.listen(worker.wake)
    harness.heartbeat.start()
    working = asyncio.create_task(worker.run_job(job.id))
    await eventually(lambda: harness.transcriber.at_work == 1)

    await asyncio.to_thread(harness.service.cancel, ALICE.tenant_id, job.id)

    assert await working
    harness.heartbeat.stop()
    assert harness.job(job).state is JobState.CANCELLED
    assert harness.transcriber.at_work == 0
    assert len(harness.events()) == 1


async def test_cancelling_the_wait_for_a_job_queues_it_again(harness: JobHarness) -> None:
    harness.transcriber.before = Gate()
    job = harness.submit()
    working = asyncio.create_task(harness.worker().run_job(job.id))
    await eventually(lambda: harness.transcriber.at_work == 1)

    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    assert harness.job(job).state is JobState.QUEUED


async def test_a_bell_wakes_the_worker_from_any_thread(harness: JobHarness) -> None:
    worker = harness.worker(WorkerOptions((QUEUE,), places=2, poll_seconds=3600))
    harness.bell.listen(worker.wake)

    async with running(worker):
        await asyncio.sleep(0.05)
        job = await asyncio.to_thread(harness.submit)
        await eventually(lambda: harness.job(job).state is JobState.COMPLETED)


async def test_a_free_place_is_used_at_once(harness: JobHarness) -> None:
    jobs = [harness.submit().id for _ in range(4)]

    async with running(harness.worker(WorkerOptions((QUEUE,), places=1, poll_seconds=3600))):
        await eventually(lambda: states(harness, *jobs) == [JobState.COMPLETED] * 4)


async def test_a_job_that_is_due_later_is_found_without_a_bell(harness: JobHarness) -> None:
    harness.submit()
    lease = harness.claim()
    harness.jobs.postpone(lease, delay_seconds=5, problem=None, is_failure=False)

    async with running(harness.worker()):
        await asyncio.sleep(0.05)
        assert harness.job(lease.job).state is JobState.QUEUED
        harness.clock.advance(5)
        await eventually(lambda: harness.job(lease.job).state is JobState.COMPLETED)


async def test_an_outage_of_the_store_delays_the_work(
    harness: JobHarness, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "RENEWAL_SECONDS", 0.05)
    job = harness.submit()
    harness.jobs.go_away()

    async with running(harness.worker()):
        await eventually(lambda: "no job claimed, the store of jobs is unavailable" in caplog.messages)
        harness.jobs.come_back()
        await eventually(lambda: harness.job(job).state is JobState.COMPLETED)


async def test_no_job_is_taken_over_after_an_outage_before_its_worker_could_renew_its_lease(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "RENEWAL_SECONDS", 0.5)
    job = harness.submit()
    lease = harness.claim()  # of another worker
    harness.jobs.go_away()

    async with running(harness.worker()):
        await asyncio.sleep(0.05)
        harness.clock.advance(20)
        harness.jobs.come_back()
        harness.clock.advance(21)
        harness.jobs.renew([lease], lease_seconds=40)
        harness.heartbeat._renew()
        await asyncio.sleep(0.6)

    assert harness.job(job) == lease.job


async def test_a_stopped_process_does_not_take_over_its_own_jobs(harness: JobHarness) -> None:
    gate = harness.transcriber.before = Gate()
    job = harness.submit()

    async with running(harness.worker()):
        await eventually(lambda: harness.transcriber.at_work == 1)
        token = harness.jobs._jobs[job.id].token
        harness.clock.advance(90)
        await asyncio.sleep(0.1)
        assert harness.jobs._jobs[job.id].token == token
        harness.heartbeat._renew()
        gate.is_open.set()
        await eventually(lambda: harness.job(job).state is JobState.COMPLETED)

    assert harness.job(job).failures == 0


async def test_an_unexpected_error_of_the_store_does_not_end_the_worker(
    harness: JobHarness, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, errors = harness.jobs.claim, [RuntimeError("unexpected")]

    def fail_once(*arguments: object, **named: object) -> tuple[JobLease, ...]:
        if errors:
            raise errors.pop()
        return claim(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(harness.jobs, "claim", fail_once)
    job = harness.submit()

    async with running(harness.worker()):
        await eventually(lambda: harness.job(job).state is JobState.COMPLETED)

    assert "unexpected error while claiming jobs" in caplog.messages


async def test_an_unexpected_error_of_one_job_harms_no_other(
    harness: JobHarness, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: Callable[[JobLease], object] = harness.execution.run
    bad = harness.submit()

    async def fail(lease: JobLease) -> None:
        if lease.job.id == bad.id:
            raise RuntimeError("unexpected")
        await run(lease)  # type: ignore[misc]

    monkeypatch.setattr(harness.execution, "run", fail)
    good = harness.submit()

    async with running(harness.worker()):
        await eventually(lambda: harness.job(good).state is JobState.COMPLETED)

    assert "unexpected error of a worker; its job is taken over later" in caplog.messages
