"""Following jobs: one query for all who wait, and each is told of its own job."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from threading import Event
from uuid import UUID, uuid4

import pytest

from domain.services.jobs.failures import CANCELLED
from domain.services.jobs.following import JobFollower
from tests.support.harness.jobs import JobHarness
from tests.support.harness.service import eventually


@pytest.fixture
def follower(harness: JobHarness) -> JobFollower:
    return JobFollower(harness.jobs, poll_seconds=0.01)


async def test_a_change_is_noticed(harness: JobHarness, follower: JobFollower) -> None:
    job = harness.submit()
    waiting = asyncio.create_task(follower.changed(job.id, job.revision, timeout_seconds=60))
    await eventually(lambda: harness.jobs.asked)
    assert not waiting.done()

    harness.claim()

    assert await waiting


async def test_a_revision_that_is_old_already_is_a_change(harness: JobHarness, follower: JobFollower) -> None:
    job = harness.submit()

    assert await follower.changed(job.id, job.revision - 1, timeout_seconds=60)


async def test_no_change_within_the_time_out(harness: JobHarness, follower: JobFollower) -> None:
    job = harness.submit()

    assert not await follower.changed(job.id, job.revision, timeout_seconds=0.05)


async def test_an_erased_job_is_a_change(harness: JobHarness, follower: JobFollower) -> None:
    job = harness.submit()
    harness.jobs.cancel(job.id, CANCELLED, None)
    revision = harness.job(job).revision
    waiting = asyncio.create_task(follower.changed(job.id, revision, timeout_seconds=60))

    harness.jobs.erase(job.id)

    assert await waiting
    assert await follower.changed(uuid4(), 1, timeout_seconds=60)


async def test_one_query_serves_all_who_wait(harness: JobHarness, follower: JobFollower) -> None:
    jobs = [harness.submit() for _ in range(20)]
    waiting = [
        asyncio.create_task(follower.changed(job.id, job.revision, timeout_seconds=60))
        for job in jobs
        for _ in range(5)
    ]
    await eventually(lambda: harness.jobs.asked and len(harness.jobs.asked[-1]) == 20)

    harness.jobs.claim(["default"], limit=100, lease_seconds=40)
    questions = len(harness.jobs.asked)

    assert await asyncio.gather(*waiting) == [True] * 100
    assert len(harness.jobs.asked) - questions <= 2


async def test_only_the_changed_job_is_told(harness: JobHarness, follower: JobFollower) -> None:
    first, second = harness.submit(), harness.submit()
    waiting = asyncio.create_task(follower.changed(second.id, second.revision, timeout_seconds=60))

    harness.jobs.cancel(first.id, CANCELLED, None)
    assert await follower.changed(first.id, first.revision, timeout_seconds=60)
    assert not waiting.done()

    waiting.cancel()


async def test_a_job_that_is_watched_since_the_question_is_not_told_of(
    harness: JobHarness, follower: JobFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = harness.submit(), harness.submit()
    asked, answered, ask = Event(), Event(), harness.jobs.revisions

    def slowly(ids: Sequence[UUID], /) -> Mapping[UUID, int]:
        asked.set()
        assert answered.wait(60)
        return ask(ids)

    monkeypatch.setattr(harness.jobs, "revisions", slowly)
    early = asyncio.create_task(follower.changed(first.id, first.revision, timeout_seconds=60))
    await eventually(asked.is_set)
    late = asyncio.create_task(follower.changed(second.id, second.revision, timeout_seconds=60))
    await asyncio.sleep(0)
    harness.jobs.cancel(first.id, CANCELLED, None)
    answered.set()

    assert await early
    assert not late.done()
    late.cancel()


async def test_the_store_is_not_asked_while_no_caller_waits(
    harness: JobHarness, follower: JobFollower
) -> None:
    job = harness.submit()
    await follower.changed(job.id, job.revision, timeout_seconds=0.03)
    await asyncio.sleep(0.03)
    questions = len(harness.jobs.asked)

    await asyncio.sleep(0.05)

    assert len(harness.jobs.asked) == questions
    assert await follower.changed(job.id, job.revision - 1, timeout_seconds=60)


async def test_an_outage_delays_the_news(
    harness: JobHarness, follower: JobFollower, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    job = harness.submit()
    harness.jobs.go_away()
    waiting = asyncio.create_task(follower.changed(job.id, job.revision, timeout_seconds=60))
    await eventually(lambda: "jobs cannot be followed, retrying" in caplog.messages)

    harness.jobs.come_back()
    harness.claim()

    assert await waiting


async def test_a_caller_that_goes_away_is_forgotten(harness: JobHarness, follower: JobFollower) -> None:
    job = harness.submit()
    waiting = asyncio.create_task(follower.changed(job.id, job.revision, timeout_seconds=60))
    await eventually(lambda: harness.jobs.asked)

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert not follower._watchers
