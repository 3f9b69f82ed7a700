"""Retention: expired jobs and recordings, recordings of no job, and due jobs that no worker has taken."""

import logging
import os
import threading
from pathlib import Path

import pytest

from domain.model.clock import SECONDS_PER_DAY
from domain.model.jobs import Job, JobState
from domain.services.jobs.failures import CANCELLED
from domain.services.jobs.retention import BATCH, ORPHAN_SECONDS, SEARCH_SECONDS, JobSweeper
from tests.support.harness.jobs import JobHarness
from tests.support.harness.leases import lease_of
from tests.support.harness.service import wait_until
from tests.support.samples.jobs import QUEUE, a_result


@pytest.fixture
def sweeper(harness: JobHarness) -> JobSweeper:
    return JobSweeper(
        harness.jobs,
        harness.recordings,
        harness.bell,
        jobs_keep_days=7,
        recordings_keep_days=1,
        clock=harness.clock,
    )


def ended(harness: JobHarness, state: JobState) -> Job:
    harness.submit()
    lease = harness.claim()
    match state:
        case JobState.COMPLETED:
            harness.jobs.complete(lease, a_result(), None)
        case JobState.FAILED:
            harness.jobs.fail(lease, CANCELLED, None)
        case _:
            harness.jobs.cancel(lease.job.id, CANCELLED, None)
    return lease.job


def key_of(job: Job) -> str:
    assert job.order.recording
    return job.order.recording.key


def put_orphan(harness: JobHarness, age_seconds: float) -> str:
    key = harness.recordings.put(harness.upload())
    file = Path(harness.folder / "recordings" / key)
    stored_at = file.stat().st_mtime - age_seconds
    os.utime(file, (stored_at, stored_at))
    return key


def test_recordings_of_completed_and_cancelled_jobs_are_deleted_first(
    harness: JobHarness, sweeper: JobSweeper
) -> None:
    jobs = {state: ended(harness, state) for state in JobState if state.is_final}
    waiting = harness.submit()
    harness.clock.advance(SECONDS_PER_DAY)

    sweeper.sweep()

    assert harness.recordings.stored() == {key_of(jobs[JobState.FAILED]), key_of(waiting)}
    assert [harness.job(job).state for job in jobs.values()] == list(jobs)


def test_jobs_are_deleted_with_their_recordings_once_their_time_is_over(
    harness: JobHarness, sweeper: JobSweeper
) -> None:
    jobs = [ended(harness, state) for state in JobState if state.is_final]
    waiting = harness.submit()
    harness.clock.advance(7 * SECONDS_PER_DAY)

    sweeper.sweep()

    assert [harness.jobs.find(job.id) for job in jobs] == [None] * 3
    assert harness.recordings.stored() == {key_of(waiting)}
    assert harness.job(waiting) == waiting


def test_more_than_one_batch_is_deleted(harness: JobHarness, sweeper: JobSweeper) -> None:
    jobs = [ended(harness, JobState.COMPLETED) for _ in range(BATCH + 1)]
    harness.clock.advance(SECONDS_PER_DAY)

    sweeper.sweep()

    assert harness.recordings.stored() == set()
    assert len(jobs) == BATCH + 1


def test_old_recordings_of_no_job_are_deleted(
    harness: JobHarness, sweeper: JobSweeper, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    put_orphan(harness, ORPHAN_SECONDS + 60)
    young = put_orphan(harness, 0)
    job = harness.submit()

    sweeper.sweep()

    assert harness.recordings.stored() == {young, key_of(job)}
    assert "recording without a job deleted" in caplog.messages


def test_recordings_of_no_job_are_looked_for_once_an_hour(harness: JobHarness, sweeper: JobSweeper) -> None:
    sweeper.sweep()
    orphan = put_orphan(harness, ORPHAN_SECONDS + 60)

    harness.clock.advance(SEARCH_SECONDS - 1)
    sweeper.sweep()
    assert harness.recordings.stored() == {orphan}
    harness.clock.advance(1)
    sweeper.sweep()
    assert harness.recordings.stored() == set()


def test_old_recordings_of_jobs_that_wait_are_kept(harness: JobHarness, sweeper: JobSweeper) -> None:
    job = harness.submit()
    os.utime(harness.folder / "recordings" / key_of(job), (1, 1))

    sweeper.sweep()

    assert harness.recordings.stored() == {key_of(job)}


def test_due_jobs_are_rung_for_again(harness: JobHarness, sweeper: JobSweeper) -> None:
    jobs = [harness.submit().id for _ in range(2)]
    harness.submit()
    lease_of(harness.jobs, harness.rung[-1], QUEUE)
    harness.rung.clear()

    sweeper.sweep()

    assert harness.rung == jobs


@pytest.mark.parametrize("away", ["jobs", "recordings"])
def test_an_outage_is_logged_and_the_next_sweep_tries_again(
    harness: JobHarness, sweeper: JobSweeper, caplog: pytest.LogCaptureFixture, away: str
) -> None:
    ended(harness, JobState.COMPLETED)
    harness.clock.advance(SECONDS_PER_DAY)
    if away == "jobs":
        harness.jobs.go_away()
    harness.recordings.is_away = away == "recordings"

    sweeper.sweep()

    assert "maintenance of jobs failed" in caplog.messages
    assert len(harness.recordings.stored()) == 1
    harness.jobs.come_back()
    harness.recordings.is_away = False
    for key in harness.recordings.stored():
        os.utime(harness.folder / "recordings" / key, (1, 1))
    harness.clock.advance(ORPHAN_SECONDS)
    sweeper.sweep()
    assert harness.recordings.stored() == set()


def test_an_unexpected_error_does_not_end_the_sweeps(
    harness: JobHarness,
    sweeper: JobSweeper,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_limit: int) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(harness.jobs, "due", fail)
    ended(harness, JobState.COMPLETED)
    harness.clock.advance(SECONDS_PER_DAY)

    sweeper.sweep()

    assert "unexpected error in the maintenance of jobs" in caplog.messages
    assert harness.recordings.stored() == set()


def test_sweeps_come_periodically_until_the_end(harness: JobHarness, sweeper: JobSweeper) -> None:
    job, stop = harness.submit(), threading.Event()
    harness.rung.clear()
    thread = threading.Thread(target=sweeper.run, args=(stop,), kwargs={"every_seconds": 0.001})
    thread.start()

    wait_until(lambda: harness.rung.count(job.id) > 2)
    stop.set()
    thread.join(60)

    assert not thread.is_alive()
