"""Jobs as their callers see them: submit, look, cancel, erase, retry, and fetch the transcript."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

import pytest

from domain.model.erasures import ErasedRows, Erasure
from domain.model.errors import (
    IdempotencyConflictError,
    JobNotFoundError,
    JobNotRetryableError,
    JobStoreUnavailableError,
    JobUnfinishedError,
    JobWithoutTranscriptError,
    RecordingStoreUnavailableError,
    SourceRefusedError,
)
from domain.model.identity import Identity, Interaction
from domain.model.jobs import Job, JobOrder, JobQuery, JobState
from domain.model.result_warnings import ResultWarning, WarningCode
from domain.model.transcripts import Channels, TranscriptionOptions
from domain.services.jobs.failures import CANCELLED
from domain.services.jobs.jobs import JobRequest
from tests.support.harness.jobs import ALICE, TENANT, JobHarness
from tests.support.samples.jobs import UNDECODABLE, a_result

URL = "https://example.com/a.wav"
OTHER_TENANT = uuid4()
WARNING = ResultWarning(code=WarningCode.UNKNOWN_PARAMETER, detail="colour is no parameter")


def job_in(harness: JobHarness, state: JobState) -> Job:
    """Bring a new job into a state."""
    job = harness.submit()
    if state is JobState.QUEUED:
        return job
    lease = harness.claim()
    match state:
        case JobState.COMPLETED:
            harness.jobs.complete(lease, a_result(), None)
        case JobState.FAILED:
            harness.jobs.fail(lease, UNDECODABLE, None)
        case JobState.CANCELLED:
            harness.jobs.cancel(job.id, CANCELLED, None)
    return harness.job(job)


def key_of(job: Job) -> str:
    assert job.order.recording
    return job.order.recording.key


def test_a_submitted_job_is_queued_with_its_recording(harness: JobHarness) -> None:
    upload, job_id = harness.upload(b"some sound"), uuid4()
    options = TranscriptionOptions(channels=Channels.SEPARATE)
    identity = replace(ALICE, warnings=(WARNING,))

    job = harness.service.submit(
        upload, JobRequest(identity, job_id, options, {"call": 7}, warnings=(WARNING,))
    )

    assert (job.id, job.state, job.order.identity) == (job_id, JobState.QUEUED, ALICE)
    assert (job.order.options, job.order.metadata) == (options, {"call": 7})
    assert job.order.warnings == (WARNING, WARNING)
    assert job.order.recording
    assert job.order.recording.size == len(b"some sound")
    assert harness.recordings.stored() == {key_of(job)}
    assert harness.rung == [job_id]


def test_a_repeated_key_returns_the_first_job(harness: JobHarness) -> None:
    jobs = [harness.submit(key="a key") for _ in range(2)]

    assert jobs[0] == jobs[1]
    assert harness.recordings.stored() == {key_of(jobs[0])}


def test_a_repeated_key_returns_the_job_after_its_recording_was_deleted(harness: JobHarness) -> None:
    first = harness.submit(key="a key")
    harness.jobs.complete(harness.claim(), a_result(), None)
    harness.jobs.expired(1, jobs_keep_seconds=60, recordings_keep_seconds=0)
    harness.recordings.delete(key_of(first))

    assert harness.submit(key="a key").id == first.id
    assert harness.recordings.stored() == set()


def test_concurrent_requests_with_one_key_are_one_job(harness: JobHarness) -> None:
    with ThreadPoolExecutor(4) as threads:
        jobs = list(threads.map(lambda _: harness.submit(key="a key"), range(8)))

    assert len({job.id for job in jobs}) == 1
    assert harness.recordings.stored() == {key_of(jobs[0])}


@pytest.mark.parametrize(
    ("identity", "sound", "options", "metadata"),
    [
        (ALICE, b"other", TranscriptionOptions(), {}),
        (replace(ALICE, account_id="other"), b"sound", TranscriptionOptions(), {}),
        (ALICE, b"sound", TranscriptionOptions(language="de"), {}),
        (ALICE, b"sound", TranscriptionOptions(), {"other": 1}),
    ],
    ids=["recording", "account", "option", "metadata"],
)
def test_a_repeated_key_with_other_content_is_refused(
    harness: JobHarness,
    identity: Identity,
    sound: bytes,
    options: TranscriptionOptions,
    metadata: dict[str, int],
) -> None:
    first = harness.submit(key="a key")
    request = JobRequest(identity, uuid4(), options, dict(metadata), idempotency_key="a key")

    with pytest.raises(IdempotencyConflictError):
        harness.service.submit(harness.upload(sound), request)

    assert harness.recordings.stored() == {key_of(first)}


@pytest.mark.parametrize("identity", [replace(ALICE, user_id="bob"), replace(ALICE, tenant_id=OTHER_TENANT)])
def test_the_key_of_another_caller_is_another_job(harness: JobHarness, identity: Identity) -> None:
    jobs = [harness.submit(key="a key"), harness.submit(key="a key", identity=identity)]

    assert jobs[0].id != jobs[1].id


def test_a_full_disk_accepts_no_job(harness: JobHarness) -> None:
    harness.recordings.is_away = True

    with pytest.raises(RecordingStoreUnavailableError):
        harness.submit()

    assert harness.jobs.counts().queued == 0


def test_an_unavailable_store_accepts_no_job_and_leaves_the_recording_to_the_maintenance(
    harness: JobHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.jobs.go_away()

    with pytest.raises(JobStoreUnavailableError):
        harness.submit()

    harness.jobs.come_back()
    assert harness.jobs.counts().queued == 0
    assert len(harness.recordings.stored()) == 1
    assert "recording of no job not deleted yet" in caplog.messages


@pytest.mark.parametrize("is_added", [True, False])
def test_a_job_whose_addition_was_not_answered_keeps_its_recording(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch, is_added: object
) -> None:
    add = harness.jobs.add

    def lose_the_answer(order: JobOrder) -> Job:
        if is_added:
            add(order)
        raise JobStoreUnavailableError("the connection broke")

    monkeypatch.setattr(harness.jobs, "add", lose_the_answer)

    with pytest.raises(JobStoreUnavailableError):
        harness.submit()

    assert len(harness.recordings.stored()) == harness.jobs.counts().queued == (1 if is_added else 0)


def test_a_known_job_is_returned_although_its_copy_cannot_be_deleted(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = harness.submit(key="a key")

    def fail(_key: str) -> None:
        raise RecordingStoreUnavailableError("away")

    monkeypatch.setattr(harness.recordings, "delete", fail)

    assert harness.submit(key="a key") == first


def test_a_job_may_name_a_source(harness: JobHarness) -> None:
    job = harness.service.submit_url(URL, JobRequest(ALICE, uuid4()))

    assert (job.order.source_url, job.order.recording) == (URL, None)
    assert harness.source.fetched == []
    assert harness.rung == [job.id]


def test_a_repeated_key_with_another_source_is_refused(harness: JobHarness) -> None:
    request = JobRequest(ALICE, uuid4(), idempotency_key="a key")
    job = harness.service.submit_url(URL, request)

    assert harness.service.submit_url(URL, request) == job
    with pytest.raises(IdempotencyConflictError):
        harness.service.submit_url(URL + "2", request)


@pytest.mark.parametrize("url", ["ftp://example.com/a.wav", "file:///etc/passwd", "a.wav", ""])
def test_a_source_of_an_unknown_scheme_is_refused(harness: JobHarness, url: str) -> None:
    with pytest.raises(SourceRefusedError):
        harness.service.submit_url(url, JobRequest(ALICE, uuid4()))


def test_another_tenant_sees_no_job(harness: JobHarness) -> None:
    job = job_in(harness, JobState.FAILED)
    service = harness.service
    calls: list[Callable[[UUID, UUID], object]] = [
        service.find,
        service.result,
        service.cancel,
        partial(service.erase, requested_by="alice"),
        service.retry,
    ]

    for call in calls:
        with pytest.raises(JobNotFoundError):
            call(OTHER_TENANT, job.id)
        with pytest.raises(JobNotFoundError):
            call(TENANT, uuid4())

    assert service.page(JobQuery(OTHER_TENANT)).jobs == ()
    assert service.page(JobQuery(TENANT)).jobs == (job,)
    assert harness.job(job) == job


def test_the_transcript_of_a_completed_job(harness: JobHarness) -> None:
    job = job_in(harness, JobState.COMPLETED)

    assert harness.service.result(TENANT, job.id) == (job, a_result())


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.PROCESSING])
def test_an_unfinished_job_has_no_transcript_yet(harness: JobHarness, state: JobState) -> None:
    job = job_in(harness, state)

    with pytest.raises(JobUnfinishedError, match=state):
        harness.service.result(TENANT, job.id)


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_a_failed_job_has_no_transcript(harness: JobHarness, state: JobState) -> None:
    job = job_in(harness, state)

    with pytest.raises(JobWithoutTranscriptError, match=state):
        harness.service.result(TENANT, job.id)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.PROCESSING])
def test_a_job_that_has_not_ended_is_cancelled_with_one_event(harness: JobHarness, state: JobState) -> None:
    job = job_in(harness, state)
    harness.rung.clear()

    cancelled = harness.service.cancel(TENANT, job.id)
    again = harness.service.cancel(TENANT, job.id)

    assert cancelled == again
    assert (cancelled.state, cancelled.problem) == (JobState.CANCELLED, CANCELLED)
    assert [event.interaction_id for event in harness.events()] == [job.id]
    assert (harness.rung, harness.woken) == ([job.id], [True])


@pytest.mark.parametrize("state", [state for state in JobState if state.is_final])
def test_a_job_that_has_ended_is_not_cancelled(harness: JobHarness, state: JobState) -> None:
    job = job_in(harness, state)

    assert harness.service.cancel(TENANT, job.id) == job
    assert harness.events() == []


@pytest.mark.parametrize("state", [state for state in JobState if state.is_final])
def test_a_job_that_has_ended_is_erased_with_its_recording(harness: JobHarness, state: JobState) -> None:
    job = job_in(harness, state)

    harness.service.erase(TENANT, job.id, requested_by="alice")

    assert harness.jobs.find(job.id) is None
    assert harness.recordings.stored() == set()
    with pytest.raises(JobNotFoundError):
        harness.service.erase(TENANT, job.id, requested_by="alice")


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.PROCESSING])
def test_a_job_that_has_not_ended_is_not_erased(harness: JobHarness, state: JobState) -> None:
    job = job_in(harness, state)

    with pytest.raises(JobUnfinishedError, match=f"{state}; cancel it first"):
        harness.service.erase(TENANT, job.id, requested_by="alice")

    assert harness.job(job) == job
    assert harness.recordings.stored() == {key_of(job)}


def test_a_job_that_another_call_erases_meanwhile_is_erased_once(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, erase = job_in(harness, JobState.COMPLETED), harness.erasures.erase

    def twice(interaction: Interaction, erasure: Erasure) -> ErasedRows:
        erase(interaction, erasure)
        return erase(interaction, erasure)

    monkeypatch.setattr(harness.erasures, "erase", twice)

    harness.service.erase(TENANT, job.id, requested_by="alice")

    assert harness.jobs.find(job.id) is None
    assert harness.recordings.stored() == set()


def test_an_erased_job_whose_recording_cannot_be_deleted_says_so(harness: JobHarness) -> None:
    job = job_in(harness, JobState.COMPLETED)
    harness.recordings.is_away = True

    with pytest.raises(RecordingStoreUnavailableError):
        harness.service.erase(TENANT, job.id, requested_by="alice")

    assert harness.jobs.find(job.id) is None


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_a_retry_is_a_new_job_of_the_same_recording(harness: JobHarness, state: JobState) -> None:
    job = job_in(harness, state)
    harness.rung.clear()

    again = harness.service.retry(TENANT, job.id)

    assert (again.state, again.order.retry_of) == (JobState.QUEUED, job.id)
    assert again.id != job.id
    assert again.order.recording == job.order.recording
    assert harness.job(job).retried_as == again.id
    assert harness.rung == [again.id]
    assert harness.service.retry(TENANT, job.id) == again


async def test_each_try_has_its_own_terminal_event(harness: JobHarness) -> None:
    job = job_in(harness, JobState.QUEUED)
    harness.service.cancel(TENANT, job.id)
    again = harness.service.retry(TENANT, job.id)

    await harness.execution.run(harness.claim())

    assert {event.interaction_id: event.status for event in harness.events()} == {
        job.id: "failed",
        again.id: "completed",
    }


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.PROCESSING, JobState.COMPLETED])
def test_a_job_that_has_not_failed_is_not_retried(harness: JobHarness, state: JobState) -> None:
    job = job_in(harness, state)

    with pytest.raises(JobNotRetryableError, match=state):
        harness.service.retry(TENANT, job.id)


def test_a_job_whose_recording_is_gone_is_not_retried(harness: JobHarness) -> None:
    job = job_in(harness, JobState.CANCELLED)
    harness.jobs.expired(1, jobs_keep_seconds=60, recordings_keep_seconds=0)

    with pytest.raises(JobNotRetryableError, match="not stored any more"):
        harness.service.retry(TENANT, job.id)


def test_the_key_of_a_submission_is_not_the_key_of_its_retry(harness: JobHarness) -> None:
    job = harness.submit(key="a key")
    harness.service.cancel(TENANT, job.id)
    harness.service.retry(TENANT, job.id)

    assert harness.submit(key="a key").id == job.id
