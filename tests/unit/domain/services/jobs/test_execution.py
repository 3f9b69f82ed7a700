"""Execution of a leased job: each error has its consequence, and every job ends once."""

import asyncio
import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import NoReturn

import pytest

from domain.model.errors import (
    JobStoreUnavailableError,
    NotAudioError,
    RecordingStoreUnavailableError,
    SourceRefusedError,
    SourceUnavailableError,
    TranscriberBusyError,
    TranscriberCrashedError,
    TranscriberUnavailableError,
    TranscriptionTooCostlyError,
)
from domain.model.events.event import BatchProcessingCompleted
from domain.model.events.failed import BatchProcessingFailed
from domain.model.events.kinds import EventKind
from domain.model.jobs import MAX_FAILURES, Job, JobState
from domain.services.jobs import execution
from domain.services.jobs.execution import JobExecution
from domain.services.jobs.failures import failure_of
from domain.services.jobs.jobs import JobRequest
from domain.services.resilience.backoff import Backoff
from tests.support.doubles.transcription import CallbackCleaner
from tests.support.harness.jobs import ALICE, JobHarness, SwitchableRecordings
from tests.support.harness.service import eventually


def fail_with(error: Exception) -> object:
    def fail(_unit: int) -> NoReturn:
        raise error

    return fail


async def run_until_it_waits_or_ends(harness: JobHarness, tries: int = 10) -> Job:
    """Run the only job until it has ended, or as often as named."""
    for _ in range(tries):
        lease = harness.claim()
        await harness.execution.run(lease)
        if (job := harness.job(lease.job)).state.is_final:
            break
        harness.clock.advance(61)
    return job


async def test_a_job_is_completed_with_one_event(harness: JobHarness) -> None:
    job = harness.submit(b"some sound")

    await harness.execution.run(harness.claim())

    assert harness.job(job).state is JobState.COMPLETED
    assert harness.transcriber.heard == [b"some sound"]
    (event,) = harness.events()
    assert isinstance(event, BatchProcessingCompleted)
    assert (event.interaction_id, event.user_id) == (job.id, "alice")
    assert event.data.cleaned_transcript == "UM HELLO"
    assert harness.woken == [True]


async def test_a_completed_job_has_its_result(harness: JobHarness) -> None:
    job = harness.submit()

    await harness.execution.run(harness.claim())

    result = harness.jobs.result(job.id)
    assert result
    assert (result.transcript.text, result.cleaned_text, result.cleaner) == (
        "um hello",
        "UM HELLO",
        "callback",
    )


@pytest.mark.parametrize(
    "error",
    [NotAudioError("no sound"), TranscriptionTooCostlyError("too costly")],
    ids=lambda error: type(error).__name__,
)
async def test_a_recording_at_fault_fails_at_once(harness: JobHarness, error: Exception) -> None:
    job = harness.submit()
    harness.transcriber.before = fail_with(error)  # type: ignore[assignment]

    await harness.execution.run(harness.claim())

    ended = harness.job(job)
    assert ended.state is JobState.FAILED
    assert ended.problem
    assert not ended.problem.retryable
    (event,) = harness.events()
    assert isinstance(event, BatchProcessingFailed)
    assert (event.interaction_id, event.data) == (job.id, ended.problem)


@pytest.mark.parametrize(
    "error",
    [TranscriberCrashedError("the process died"), RuntimeError("secret words")],
    ids=lambda error: type(error).__name__,
)
async def test_an_engine_at_fault_is_tried_three_times(harness: JobHarness, error: Exception) -> None:
    harness.submit()
    tries: list[int] = []

    def fail(unit: int) -> NoReturn:
        tries.append(unit)
        raise error

    harness.transcriber.before = fail

    job = await run_until_it_waits_or_ends(harness)

    assert (job.state, tries) == (JobState.FAILED, [0] * MAX_FAILURES)
    assert job.problem
    assert job.problem.retryable
    assert "secret" not in job.problem.detail
    assert len(harness.events()) == 1


@pytest.mark.parametrize(
    "error",
    [
        TranscriberBusyError("full", retry_after_seconds=7),
        TranscriberUnavailableError("away"),
        RecordingStoreUnavailableError("away"),
        JobStoreUnavailableError("away"),
        OSError(errno.ENOSPC, "disk full"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_dependency_that_is_away_never_fails_a_job(harness: JobHarness, error: Exception) -> None:
    harness.submit()
    harness.transcriber.before = fail_with(error)  # type: ignore[assignment]

    job = await run_until_it_waits_or_ends(harness)

    assert (job.state, job.failures, job.problem) == (JobState.QUEUED, 0, failure_of(error).problem)
    harness.transcriber.before = lambda _unit: None
    assert (await run_until_it_waits_or_ends(harness)).state is JobState.COMPLETED


async def test_a_job_waits_before_it_is_tried_again(harness: JobHarness) -> None:
    harness.submit()
    harness.transcriber.before = fail_with(TranscriberCrashedError("died"))  # type: ignore[assignment]
    await harness.execution.run(harness.claim())

    assert harness.jobs.due(1) == ()
    harness.clock.advance(2)
    assert len(harness.jobs.due(1)) == 1


async def test_a_unit_between_two_failures_ends_the_row(harness: JobHarness) -> None:
    """A job that finishes a unit at each try is tried as often as it has units."""
    harness.submit()
    crashes = [0, 0, 1, 1, 2, 2]

    def crash(unit: int) -> None:
        if unit in crashes:
            crashes.remove(unit)
            raise TranscriberCrashedError("the process died")

    harness.transcriber.before = crash

    job = await run_until_it_waits_or_ends(harness)

    assert job.state is JobState.COMPLETED
    assert harness.transcriber.recognised == [0, 1, 2]


async def test_a_job_that_has_ended_its_workers_three_times_fails_without_a_try(harness: JobHarness) -> None:
    job = harness.submit()
    for _ in range(MAX_FAILURES):
        harness.claim()
        harness.clock.advance(40)

    await harness.execution.run(harness.claim())

    ended = harness.job(job)
    assert (ended.state, harness.transcriber.heard) == (JobState.FAILED, [])
    assert ended.problem
    assert ended.problem.reason == "transcriber-crashed"
    assert len(harness.events()) == 1
    assert harness.recordings.stored()


async def test_a_job_goes_on_where_a_dead_worker_stopped(harness: JobHarness) -> None:
    harness.submit()
    lease = harness.claim()
    harness.jobs.advance(lease, lease.job.progress, units={"unit-0": "{}", "unit-1": "{}"})
    harness.clock.advance(40)

    await harness.execution.run(harness.claim())

    assert harness.transcriber.recognised == [2]


async def test_a_stopped_worker_queues_its_job_again_with_its_units(harness: JobHarness) -> None:
    job = harness.submit()
    reached = asyncio.Event()

    async def hang(unit: int) -> None:
        if unit == 2:
            reached.set()
            await asyncio.Event().wait()

    harness.transcriber.before = hang
    running = asyncio.create_task(harness.execution.run(harness.claim()))
    await reached.wait()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert (harness.job(job).state, harness.job(job).failures) == (JobState.QUEUED, 0)
    harness.transcriber.before = lambda _unit: None
    await harness.execution.run(harness.claim())
    assert harness.transcriber.recognised == [0, 1, 2]


async def test_workers_are_told_of_a_job_that_is_queued_again_at_once(harness: JobHarness) -> None:
    job = harness.submit()
    harness.transcriber.before = lambda _unit: asyncio.Event().wait()
    running = asyncio.create_task(harness.execution.run(harness.claim()))
    await eventually(lambda: harness.transcriber.at_work == 1)

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert harness.rung == [job.id] * 2

    await harness.execution.give_back(harness.claim())
    assert harness.rung == [job.id] * 3


@pytest.mark.parametrize(("delay", "rings"), [(0.01, 2), (3600.0, 1)])
async def test_workers_are_told_of_a_job_that_is_tried_again_once_it_is_due(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch, delay: float, rings: int
) -> None:
    monkeypatch.setattr(execution, "RETRY", Backoff(delay, delay, least=1.0))
    job = harness.submit()
    harness.transcriber.before = fail_with(TranscriberCrashedError("died"))  # type: ignore[assignment]

    await harness.execution.run(harness.claim())

    await eventually(lambda: harness.rung == [job.id] * rings)


async def test_workers_are_not_told_of_a_job_that_another_worker_has(harness: JobHarness) -> None:
    job = harness.submit()
    lease = harness.claim()
    harness.clock.advance(40)
    harness.claim()

    await harness.execution.give_back(lease)

    assert harness.rung == [job.id]


async def test_the_work_of_a_worker_that_lost_its_lease_is_void(harness: JobHarness) -> None:
    job = harness.submit()
    lease = harness.claim()
    harness.clock.advance(40)
    other = harness.claim()

    await harness.execution.run(lease)

    assert harness.job(job) == other.job
    assert harness.events() == []
    await harness.execution.run(other)
    assert len(harness.events()) == 1


async def test_a_job_that_is_cancelled_meanwhile_stays_cancelled(harness: JobHarness) -> None:
    job = harness.submit()
    harness.transcriber.before = lambda unit: unit or harness.service.cancel(ALICE.tenant_id, job.id)

    await harness.execution.run(harness.claim())

    assert harness.job(job).state is JobState.CANCELLED
    assert [event.status for event in harness.events()] == ["failed"]
    assert harness.jobs.result(job.id) is None


async def test_an_end_is_stored_once_the_store_is_back(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "STORE_DELAYS", (0.01,) * 1000)
    job = harness.submit()
    harness.transcriber.before = lambda unit: harness.jobs.go_away() if unit == 2 else None
    running = asyncio.create_task(harness.execution.run(harness.claim()))
    await eventually(lambda: harness.transcriber.recognised == [0, 1, 2])

    harness.jobs.come_back()
    await running

    assert harness.job(job).state is JobState.COMPLETED
    assert len(harness.events()) == 1


@pytest.mark.parametrize(("write", "line"), [("complete", "job completed"), ("fail", "job failed")])
async def test_an_end_that_is_stored_stands_against_a_cancellation(
    harness: JobHarness,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    write: str,
    line: str,
) -> None:
    """A renewal finds no lease of a job that has just ended, and cancels its work."""
    caplog.set_level("INFO")
    end, stored, may_answer = getattr(harness.jobs, write), Event(), Event()

    def slow(*arguments: object) -> bool:
        is_ended: bool = end(*arguments)
        stored.set()
        return may_answer.wait(240) and is_ended

    monkeypatch.setattr(harness.jobs, write, slow)
    if write == "fail":
        harness.transcriber.before = fail_with(NotAudioError("no sound"))  # type: ignore[assignment]
    harness.submit()
    work = asyncio.create_task(harness.execution.run(harness.claim()))
    await asyncio.to_thread(stored.wait, 240)

    work.cancel()
    await asyncio.sleep(0)
    may_answer.set()
    await work

    assert harness.woken == [True]
    assert line in caplog.messages


async def test_an_end_that_cannot_be_stored_is_left_to_another_worker(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(execution, "STORE_DELAYS", (0.01,) * 3)
    harness.submit()
    harness.transcriber.before = lambda unit: harness.jobs.go_away() if unit == 2 else None

    await harness.execution.run(harness.claim())

    assert "job left to another worker, the store of jobs is unavailable" in caplog.messages
    harness.jobs.come_back()
    harness.transcriber.before = lambda _unit: None
    harness.clock.advance(40)
    assert (await run_until_it_waits_or_ends(harness)).state is JobState.COMPLETED
    assert len(harness.events()) == 1


async def test_no_event_is_stored_where_its_kind_was_not_published_when_the_job_was_accepted(
    harness: JobHarness,
) -> None:
    harness.announcement.kinds = ()
    jobs = [harness.submit(), harness.submit()]
    harness.announcement.kinds = tuple(EventKind)
    await harness.execution.run(harness.claim())
    harness.transcriber.before = fail_with(NotAudioError("no sound"))  # type: ignore[assignment]
    await harness.execution.run(harness.claim())

    assert [harness.job(job).state for job in jobs] == [JobState.COMPLETED, JobState.FAILED]
    assert [harness.job(job).event_id for job in jobs] == [None, None]
    assert harness.events() == []


async def test_an_event_is_stored_by_a_process_that_publishes_none_itself(harness: JobHarness) -> None:
    job = harness.submit()
    harness.announcement.kinds = ()

    await harness.execution.run(harness.claim())

    assert harness.job(job).event_id == job.id
    assert len(harness.events()) == 1


async def test_a_recording_from_a_url_is_fetched_and_attached(harness: JobHarness) -> None:
    job = harness.service.submit_url("https://example.com/a.wav", JobRequest(ALICE, ALICE.tenant_id))

    await harness.execution.run(harness.claim())

    ended = harness.job(job)
    assert ended.state is JobState.COMPLETED
    assert ended.order.recording
    assert harness.transcriber.heard == [b"from afar"]
    assert ended.order.recording.key in harness.recordings.stored()
    assert not list((harness.folder / "fetched").iterdir())


async def test_a_recording_is_fetched_once(harness: JobHarness) -> None:
    job = harness.service.submit_url("https://example.com/a.wav", JobRequest(ALICE, ALICE.tenant_id))
    crashes = [TranscriberCrashedError("died")]
    harness.transcriber.before = lambda _unit: fail_with(crashes.pop())(0) if crashes else None  # type: ignore[operator]

    await run_until_it_waits_or_ends(harness)

    assert harness.job(job).state is JobState.COMPLETED
    assert harness.source.fetched == ["https://example.com/a.wav"]


@pytest.mark.parametrize(
    ("error", "state"),
    [(SourceRefusedError("not there"), JobState.FAILED), (SourceUnavailableError("503"), JobState.QUEUED)],
    ids=["refused", "unavailable"],
)
async def test_a_source_that_fails_has_its_consequence(
    harness: JobHarness, error: Exception, state: JobState
) -> None:
    job = harness.service.submit_url("https://example.com/a.wav", JobRequest(ALICE, ALICE.tenant_id))
    harness.source.error = error

    await harness.execution.run(harness.claim())

    assert harness.job(job).state is state


async def test_a_recording_that_is_fetched_for_a_lost_lease_is_deleted(harness: JobHarness) -> None:
    harness.service.submit_url("https://example.com/a.wav", JobRequest(ALICE, ALICE.tenant_id))
    lease = harness.claim()
    harness.clock.advance(40)
    harness.claim()

    await harness.execution.run(lease)

    assert harness.recordings.stored() == set()


@pytest.mark.parametrize("step", ["put", "attach"])
async def test_a_recording_that_is_fetched_for_an_erased_job_is_deleted(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The work is cancelled while a thread stores the recording, or records where it is."""
    owner = harness.recordings if step == "put" else harness.jobs
    call, began, may_go_on = getattr(owner, step), Event(), Event()

    def slow(*arguments: object) -> object:
        began.set()
        assert may_go_on.wait(240)
        return call(*arguments)

    monkeypatch.setattr(owner, step, slow)
    job = harness.service.submit_url("https://example.com/a.wav", JobRequest(ALICE, ALICE.tenant_id))
    work = asyncio.create_task(harness.execution.run(harness.claim()))
    await asyncio.to_thread(began.wait, 240)
    harness.service.cancel(ALICE.tenant_id, job.id)
    harness.service.erase(ALICE.tenant_id, job.id, requested_by="alice")
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    may_go_on.set()
    await asyncio.to_thread(harness.execution._fetching.shutdown)

    assert harness.recordings.stored() == set()


class DownloadedRecordings(SwitchableRecordings):
    """Store whose downloads take until they are cancelled."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.began, self.was_cancelled = Event(), False

    @contextlib.contextmanager
    def fetched(self, key: str, cancelled: Event | None = None, /) -> Iterator[Path]:
        assert cancelled
        self.began.set()
        self.was_cancelled = cancelled.wait(240)
        raise RecordingStoreUnavailableError(key)
        yield Path(key)


async def test_a_download_ends_once_the_lease_is_lost(harness: JobHarness, tmp_path: Path) -> None:
    recordings = DownloadedRecordings(tmp_path / "recordings")
    own = JobExecution(
        harness.jobs,
        recordings,
        harness.sources,
        harness.transcriber,
        CallbackCleaner(),
        harness.announcement,
        harness.bell,
    )
    harness.submit()

    work = asyncio.create_task(own.run(harness.claim()))
    await asyncio.to_thread(recordings.began.wait, 240)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work

    await eventually(lambda: recordings.was_cancelled)


async def test_a_recording_that_is_gone_fails_the_job(harness: JobHarness) -> None:
    job = harness.submit()
    for key in harness.recordings.stored():
        harness.recordings.delete(key)

    await harness.execution.run(harness.claim())

    ended = harness.job(job)
    assert ended.problem
    assert (ended.state, ended.problem.reason) == (JobState.FAILED, "recording-gone")


async def test_a_recording_store_that_is_away_delays_the_job(harness: JobHarness) -> None:
    job = harness.submit()
    away = harness.folder / "unmounted"
    (harness.folder / "recordings").rename(away)

    await harness.execution.run(harness.claim())

    assert (harness.job(job).state, harness.job(job).failures) == (JobState.QUEUED, 0)
    away.rename(harness.folder / "recordings")
    harness.clock.advance(60)
    assert (await run_until_it_waits_or_ends(harness)).state is JobState.COMPLETED


async def test_no_words_of_a_recording_are_logged(
    harness: JobHarness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    harness.submit()

    await harness.execution.run(harness.claim())

    assert "job completed" in caplog.messages
    assert not [line for line in caplog.records if "hello" in str(line.__dict__).lower()]


async def test_work_that_never_began_is_given_back(harness: JobHarness) -> None:
    job = harness.submit()

    await harness.execution.give_back(harness.claim())

    assert (harness.job(job).state, harness.job(job).failures) == (JobState.QUEUED, 0)


def test_the_detail_of_a_failure_is_a_text_that_events_may_have(tmp_path: Path) -> None:
    problem = failure_of(NotAudioError(f"{tmp_path}\ud800\uffff" + "x" * 5000)).problem

    assert len(problem.detail) <= 2000
    assert problem.detail.encode()
