"""The journal of a job: progress never falls, and units are written under the lease."""

import asyncio

import pytest

from domain.model.jobs import JobLease, JobProgress, JobStage
from domain.services.jobs.journal import JobJournal, LeaseLostError, Pace
from ports.transcriber_port import Progress
from tests.support.harness.jobs import JobHarness
from tests.support.harness.service import eventually


@pytest.fixture
def lease(harness: JobHarness) -> JobLease:
    harness.submit()
    return harness.claim()


def journal_of(harness: JobHarness, lease: JobLease, units: dict[str, str] | None = None) -> JobJournal:
    return JobJournal(harness.jobs, lease, units or {}, write_seconds=0.001, clock=harness.clock)


async def test_progress_is_written(harness: JobHarness, lease: JobLease) -> None:
    journal = journal_of(harness, lease)
    journal.enter(JobStage.TRANSCRIBING)
    journal.on_progress(Progress(30.0, 60.0))

    await journal.write()

    assert harness.job(lease.job).progress == JobProgress(JobStage.TRANSCRIBING, 30.0, 60.0, None)


async def test_progress_never_falls(harness: JobHarness, lease: JobLease) -> None:
    journal = journal_of(harness, lease)
    journal.on_progress(Progress(30.0, 60.0))
    journal.on_progress(Progress(2.0, 60.0))
    await journal.write()
    harness.clock.advance(40)
    again = harness.claim()

    second = journal_of(harness, again)
    second.on_progress(Progress(1.0, 60.0))
    await second.write()

    assert harness.job(lease.job).progress.done_seconds == 30.0


async def test_units_of_this_try_and_of_earlier_ones_are_found(harness: JobHarness, lease: JobLease) -> None:
    journal = journal_of(harness, lease, {"a": "1"})

    journal.save("b", "2")

    assert [journal.find(each) for each in ("a", "b", "c")] == ["1", "2", None]


async def test_a_unit_is_written_once(harness: JobHarness, lease: JobLease) -> None:
    journal = journal_of(harness, lease)
    journal.save("a", "1")
    await journal.write()
    harness.jobs._units.clear()

    await journal.write()
    await journal.flush()

    assert harness.jobs.units(lease) == {}


async def test_a_unit_of_an_earlier_try_does_not_end_a_row_of_failures(
    harness: JobHarness, lease: JobLease
) -> None:
    harness.clock.advance(40)
    again = harness.claim()
    journal = journal_of(harness, again, {"a": "1"})

    journal.save("a", "1")
    await journal.write()

    assert journal.failures == harness.job(lease.job).failures == 1


async def test_a_new_unit_ends_a_row_of_failures(harness: JobHarness, lease: JobLease) -> None:
    harness.clock.advance(40)
    journal = journal_of(harness, harness.claim())

    journal.save("a", "1")
    assert journal.failures == 1
    await journal.write()

    assert journal.failures == harness.job(lease.job).failures == 0


async def test_changes_are_written_from_time_to_time(harness: JobHarness, lease: JobLease) -> None:
    journal = journal_of(harness, lease)
    writing = asyncio.create_task(journal.keep_writing())

    journal.save("a", "1")
    await eventually(lambda: harness.jobs.units(lease) == {"a": "1"})
    before = harness.job(lease.job).revision
    journal.on_progress(Progress(28.0, None))
    await eventually(lambda: harness.job(lease.job).revision > before)

    writing.cancel()
    assert harness.job(lease.job).progress.done_seconds == 28.0


async def test_an_outage_of_the_store_delays_the_writes(
    harness: JobHarness, lease: JobLease, caplog: pytest.LogCaptureFixture
) -> None:
    journal = journal_of(harness, lease)
    harness.jobs.go_away()
    writing = asyncio.create_task(journal.keep_writing())
    journal.save("a", "1")
    await eventually(lambda: "progress of a job not written yet" in caplog.messages)

    harness.jobs.come_back()
    await eventually(lambda: harness.jobs.units(lease) == {"a": "1"})

    writing.cancel()


async def test_a_lost_lease_ends_the_writing(harness: JobHarness, lease: JobLease) -> None:
    journal = journal_of(harness, lease)
    harness.clock.advance(40)
    harness.claim()
    journal.save("a", "1")

    with pytest.raises(LeaseLostError):
        await journal.keep_writing()
    with pytest.raises(LeaseLostError):
        await journal.flush()

    assert harness.jobs.units(lease) == {}


async def test_units_that_cannot_be_flushed_are_given_up(
    harness: JobHarness, lease: JobLease, caplog: pytest.LogCaptureFixture
) -> None:
    journal = journal_of(harness, lease)
    journal.save("a", "1")
    harness.jobs.go_away()

    await journal.flush()

    assert "finished units of a job not written" in caplog.messages
    assert journal.failures == 0


def test_the_rest_is_estimated_from_the_pace(harness: JobHarness) -> None:
    pace, estimates = Pace(harness.clock), []
    for done in (0.0, 10.0, 20.0, 30.0):
        estimates.append(pace.eta(JobProgress(JobStage.TRANSCRIBING, done, 100.0)))
        harness.clock.advance(2)

    assert estimates == [None, None, 16.0, 14.0]


@pytest.mark.parametrize(
    "progress",
    [JobProgress(JobStage.CLEANING, 10.0, 100.0), JobProgress(JobStage.TRANSCRIBING, 10.0, None)],
    ids=["another stage", "no declared length"],
)
def test_no_rest_is_estimated_without_a_measure(harness: JobHarness, progress: JobProgress) -> None:
    assert [Pace(harness.clock).eta(progress) for _ in range(4)] == [None] * 4


def test_a_job_that_is_resumed_has_no_pace_before_it_is_further_than_before(harness: JobHarness) -> None:
    pace = Pace(harness.clock)
    for _ in range(5):
        assert pace.eta(JobProgress(JobStage.TRANSCRIBING, 50.0, 100.0)) is None
        harness.clock.advance(1)


def test_a_recording_that_is_longer_than_it_declares_has_no_negative_rest(harness: JobHarness) -> None:
    pace = Pace(harness.clock)
    for done in (90.0, 100.0, 110.0):
        rest = pace.eta(JobProgress(JobStage.TRANSCRIBING, done, 100.0))
        harness.clock.advance(1)

    assert rest == 0.0
