"""Jobs longer than every time-out beside them: none is run twice to its end (taskiq-redis#101, saq#277)."""

import asyncio
from collections.abc import Iterator

import pytest

from domain.model.jobs import JobState
from domain.services.jobs.heartbeat import LeaseHeartbeat
from domain.services.jobs.worker import JobWorker, WorkerOptions
from tests.support.harness.jobs import JobHarness
from tests.support.harness.service import eventually
from tests.support.samples.jobs import QUEUE

LEASE_SECONDS, STEP_SECONDS = 40, 10
LEASES = 3
"""A job takes so many of them."""


@pytest.fixture
def renewals(harness: JobHarness) -> Iterator[list[LeaseHeartbeat]]:
    """Two heartbeats that renew as often as they can; a test starts them."""
    heartbeats = [LeaseHeartbeat(harness.jobs, renew_seconds=0.001, clock=harness.clock) for _ in range(2)]
    yield heartbeats
    for each in heartbeats:
        if each._thread.is_alive():
            each.stop()


def worker_with(harness: JobHarness, heartbeat: LeaseHeartbeat) -> JobWorker:
    options = WorkerOptions((QUEUE,), places=1)
    return JobWorker(harness.jobs, harness.execution, heartbeat, lambda: 0, options)


def hold_first_try(harness: JobHarness) -> asyncio.Event:
    """Have the first try wait in its second unit until the event is set."""
    gate, tries = asyncio.Event(), iter(range(100))

    def before(unit: int) -> object:
        return gate.wait() if unit == 1 and next(tries) == 0 else None

    harness.transcriber.before = before
    return gate


async def test_a_job_of_several_leases_is_run_once_while_others_look_for_work(
    harness: JobHarness, renewals: list[LeaseHeartbeat]
) -> None:
    job, gate = harness.submit(), hold_first_try(harness)
    for each in renewals:
        each.start()
    first, second = (worker_with(harness, each) for each in renewals)
    running = asyncio.create_task(first.run_one())
    await eventually(lambda: harness.transcriber.recognised == [0])

    for _ in range(LEASES * LEASE_SECONDS // STEP_SECONDS):
        harness.clock.advance(STEP_SECONDS)
        await eventually(lambda: harness.jobs._jobs[job.id].lease_until == harness.clock() + LEASE_SECONDS)
        await eventually(lambda: renewals[1].is_current)
        assert await second.run_one() is None
    gate.set()

    assert await running == job.id
    assert harness.transcriber.recognised == [0, 1, 2]
    assert [event.interaction_id for event in harness.events()] == [job.id]


async def test_a_worker_whose_renewals_starve_does_not_end_the_job_a_second_time(
    harness: JobHarness, renewals: list[LeaseHeartbeat]
) -> None:
    job, gate = harness.submit(), hold_first_try(harness)
    starved, healthy = renewals
    healthy.start()
    first, second = worker_with(harness, starved), worker_with(harness, healthy)
    running = asyncio.create_task(first.run_one())
    await eventually(lambda: harness.transcriber.recognised == [0])

    harness.clock.advance(LEASE_SECONDS)
    await eventually(lambda: healthy.is_current)
    assert await second.run_one() == job.id
    ended, events = harness.job(job), harness.events()
    gate.set()
    await running

    assert ended.state is JobState.COMPLETED
    assert harness.job(job) == ended
    assert harness.events() == events
    assert len(events) == 1
