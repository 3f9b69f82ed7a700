"""Jobs: paid for once, followed to their end, and deleted with all that belongs to them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from io import BytesIO
from threading import Event
from typing import Any

import pytest

from adapters.aws.transcribe.jobs import PATIENCE_SECONDS, TranscriptionJobs
from adapters.aws.transcribe.order import JobOrder
from adapters.aws.transcribe.patience import Timing
from adapters.aws.transcribe.threads import Threads
from domain.model.errors import (
    TranscriberBusyError,
    TranscriberStalledError,
    TranscriberUnavailableError,
    TranscriptionError,
    TranscriptionFailedError,
)
from tests.support.aws.transcribe import BUCKET, NEVER, Amazon, FakeTime, amazon
from tests.support.harness.service import eventually

pytestmark = pytest.mark.slow

HEARD = b'{"results": {"items": []}}'
ORDER = JobOrder(bucket=BUCKET, sound="ab" * 32, language="de")
SECONDS = 600.0
NOT_FOUND = "The requested job couldn't be found. Check the job name and try your request again."
NOT_DELETED = "The requested job couldn't be deleted. Check the job status and try your request again."

Hear = Callable[..., Awaitable[bytes]]


@pytest.fixture
def account(request: pytest.FixtureRequest) -> Any:
    with amazon(looks=getattr(request, "param", 1)) as running:
        running.output = lambda _: HEARD
        yield running


@pytest.fixture
def jobs(account: Amazon, timing: Timing) -> TranscriptionJobs:
    return TranscriptionJobs(account.api(), Threads(4), timing)


@pytest.fixture
def hear(jobs: TranscriptionJobs) -> Hear:
    return lambda sound=b"fLaC": jobs.output(ORDER, BytesIO(sound), SECONDS)


never_ends = pytest.mark.parametrize("account", [NEVER], indirect=True)


def left_by_a_dead_process(account: Amazon) -> None:
    """Start the job as a process does that is killed afterwards."""
    api = account.api()
    api.upload(BytesIO(b"fLaC"), ORDER.media_key, Event())
    assert api.start(ORDER)
    account.calls.clear()


async def test_a_job_gets_the_sound_and_leaves_nothing_behind(account: Amazon, hear: Hear) -> None:
    stored: list[Any] = []

    def output(_: Any) -> bytes:
        stored.append(account.s3.get_object(Bucket=BUCKET, Key=ORDER.media_key))
        return HEARD

    account.output = output

    assert await hear(b"fLaC of an hour") == HEARD

    assert stored[0]["Body"].read() == b"fLaC of an hour"
    assert stored[0]["ServerSideEncryption"] == "AES256"
    assert account.requests == [
        {
            "TranscriptionJobName": ORDER.name,
            "Media": {"MediaFileUri": f"s3://{BUCKET}/{ORDER.media_key}"},
            "MediaFormat": "flac",
            "OutputBucketName": BUCKET,
            "OutputKey": ORDER.output_key,
            "LanguageCode": "de-DE",
        }
    ]
    assert account.is_empty


async def test_a_sound_of_several_parts_arrives_whole(account: Amazon, hear: Hear) -> None:
    sound = bytes(range(256)) * 2**17
    stored: list[bytes] = []

    def output(_: Any) -> bytes:
        stored.append(account.s3.get_object(Bucket=BUCKET, Key=ORDER.media_key)["Body"].read())
        return HEARD

    account.output = output

    await hear(sound)

    assert stored == [sound]
    assert "CompleteMultipartUpload" in account.calls


async def test_after_a_restart_the_job_that_is_paid_for_is_adopted(account: Amazon, hear: Hear) -> None:
    left_by_a_dead_process(account)

    assert await hear() == HEARD

    assert "StartTranscriptionJob" not in account.calls
    assert "PutObject" not in account.calls
    assert account.is_empty


async def test_a_job_that_another_process_starts_at_the_same_time_is_adopted(
    account: Amazon, hear: Hear
) -> None:
    left_by_a_dead_process(account)
    account.refuse("GetTranscriptionJob", "BadRequestException", NOT_FOUND, times=1)

    assert await hear() == HEARD

    assert account.calls.count("StartTranscriptionJob") == 1  # answered with ConflictException
    assert len(account.requests) == 1


async def test_a_failed_job_of_that_name_is_started_again_once(account: Amazon, hear: Hear) -> None:
    left_by_a_dead_process(account)
    account.fail("Internal error.")

    assert await hear() == HEARD

    assert account.calls.count("StartTranscriptionJob") == 1
    assert account.is_empty


async def test_a_job_whose_output_is_gone_is_started_again_once(account: Amazon, hear: Hear) -> None:
    left_by_a_dead_process(account)
    account.s3.delete_object(Bucket=BUCKET, Key=ORDER.output_key)

    assert await hear() == HEARD

    assert account.calls.count("StartTranscriptionJob") == 1


async def test_a_job_that_fails_again_is_told_with_its_reason(account: Amazon, hear: Hear) -> None:
    left_by_a_dead_process(account)
    account.fail("Internal error.")
    account.output = lambda _: account.fail("Unsupported media format.")

    with pytest.raises(TranscriptionFailedError, match=r"GetTranscriptionJob: .*Unsupported media format\."):
        await hear()

    await eventually(lambda: account.is_empty)


async def test_a_new_job_that_fails_is_not_paid_for_twice(account: Amazon, hear: Hear) -> None:
    account.output = lambda _: account.fail("Invalid file size: file size too large.")

    with pytest.raises(TranscriptionFailedError, match="file size too large"):
        await hear()

    assert account.calls.count("StartTranscriptionJob") == 1
    await eventually(lambda: account.is_empty)


async def test_a_job_without_output_is_an_error_that_names_the_object(account: Amazon, hear: Hear) -> None:
    account.output = lambda _: None

    with pytest.raises(
        TranscriptionFailedError, match=f"NoSuchKey: there is no output s3://{BUCKET}/{ORDER.output_key}"
    ):
        await hear()

    await eventually(lambda: account.is_empty)


async def test_a_job_that_another_process_finished_with_is_started_again(account: Amazon, hear: Hear) -> None:
    def output(_: Any) -> bytes:
        if len(account.requests) == 1:
            account.jobs.clear()
        return HEARD

    account.output = output

    assert await hear() == HEARD

    assert account.calls.count("StartTranscriptionJob") == 2


@pytest.mark.parametrize("code", ["LimitExceededException", "ThrottlingException"])
async def test_a_job_waits_here_for_a_place_in_the_account(
    account: Amazon, hear: Hear, time: FakeTime, code: str
) -> None:
    account.refuse("StartTranscriptionJob", code, times=5)

    assert await hear() == HEARD

    assert account.calls.count("StartTranscriptionJob") == 6
    assert time.slept[:5] == sorted(time.slept[:5])


async def test_an_account_without_a_place_ends_the_wait_at_the_deadline(
    account: Amazon, hear: Hear, time: FakeTime
) -> None:
    account.refuse("StartTranscriptionJob", "LimitExceededException")

    with pytest.raises(TranscriberBusyError, match="a limit of the account") as refusal:
        await hear()

    assert refusal.value.retry_after_seconds >= 1
    assert 2 * SECONDS + PATIENCE_SECONDS <= time.now < 3 * (2 * SECONDS + PATIENCE_SECONDS)
    await eventually(lambda: account.is_empty)


@never_ends
async def test_a_job_that_never_ends_is_given_up_at_the_deadline(
    account: Amazon, hear: Hear, time: FakeTime
) -> None:
    with pytest.raises(TranscriberStalledError, match=f"the job {ORDER.name} is still QUEUED"):
        await hear()

    assert time.now >= 2 * SECONDS + PATIENCE_SECONDS
    assert all(0 < pause <= 60 for pause in time.slept)
    await eventually(lambda: account.is_empty)


async def test_looks_that_fail_for_a_while_end_nothing(account: Amazon, hear: Hear) -> None:
    account.refuse("GetTranscriptionJob", "BadRequestException", NOT_FOUND, times=1)
    account.refuse("GetTranscriptionJob", "InternalFailureException", times=5, status=500)

    assert await hear() == HEARD


async def test_an_output_that_cannot_be_read_for_a_while_is_read_later(account: Amazon, hear: Hear) -> None:
    account.refuse("GetObject", "InternalError", times=3, status=500)

    assert await hear() == HEARD


async def test_a_job_whose_output_may_not_be_listed_or_is_gone_is_started_again_once(
    account: Amazon, hear: Hear
) -> None:
    left_by_a_dead_process(account)
    account.refuse("GetObject", "AccessDenied", times=1, status=403)

    assert await hear() == HEARD

    assert account.calls.count("StartTranscriptionJob") == 1


async def test_an_outage_that_lasts_is_told(account: Amazon, hear: Hear) -> None:
    account.refuse("GetTranscriptionJob", "BadRequestException", NOT_FOUND, times=1)
    account.refuse("GetTranscriptionJob", "InternalFailureException", status=500)

    with pytest.raises(TranscriberUnavailableError, match="InternalFailureException at GetTranscriptionJob"):
        await hear()


@pytest.mark.parametrize("operation", ["PutObject", "StartTranscriptionJob", "GetTranscriptionJob"])
async def test_a_missing_permission_is_named_with_its_operation(
    account: Amazon, hear: Hear, operation: str
) -> None:
    account.refuse(operation, "AccessDenied", "User x is not authorized to perform it", status=403)

    with pytest.raises(
        TranscriberUnavailableError, match=f"AccessDenied at {operation}: .*permission.*User x is not auth"
    ):
        await hear()

    await eventually(lambda: account.is_empty)


async def test_a_bucket_that_transcribe_may_not_use_is_told_in_its_words(account: Amazon, hear: Hear) -> None:
    account.refuse(
        "StartTranscriptionJob", "BadRequestException", "The specified S3 bucket can't be accessed"
    )

    with pytest.raises(TranscriptionFailedError, match="S3 bucket can't be accessed"):
        await hear()


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidSignatureException", "UnrecognizedClientException"])
async def test_no_error_quotes_what_aws_quotes_of_credentials(account: Amazon, hear: Hear, code: str) -> None:
    account.refuse("StartTranscriptionJob", code, "the token made-up-secret", status=403)

    with pytest.raises(
        TranscriptionError, match=f"{code} at StartTranscriptionJob: check the cred"
    ) as failure:
        await hear()

    assert "made-up" not in str(failure.value)


async def test_the_same_order_in_two_calls_is_one_job(account: Amazon, hear: Hear) -> None:
    assert [*await asyncio.gather(hear(), hear())] == [HEARD, HEARD]

    # both may ask for it; Amazon Transcribe makes one job of a name
    assert {request["TranscriptionJobName"] for request in account.requests} == {ORDER.name}
    assert account.is_empty


@never_ends
async def test_a_cancelled_call_deletes_its_job_and_sound(account: Amazon, hear: Hear) -> None:
    call = asyncio.ensure_future(hear())
    await eventually(lambda: account.jobs)

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    await eventually(lambda: account.is_empty)


async def test_a_cancelled_upload_leaves_no_object(account: Amazon, hear: Hear) -> None:
    began, may_go_on = Event(), Event()

    def hold(**_: object) -> None:
        began.set()
        may_go_on.wait(60)

    account.s3.meta.events.register("before-call.*.PutObject", hold)
    call = asyncio.ensure_future(hear())
    await asyncio.to_thread(began.wait, 60)

    call.cancel()
    await asyncio.sleep(0)
    assert not call.done()  # what the upload does is known before it is undone
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await call

    await eventually(lambda: "DeleteObject" in account.calls)
    await eventually(lambda: account.is_empty)
    assert account.requests == []


async def test_a_job_that_transcribe_keeps_while_it_runs_is_deleted_when_it_has_ended(
    account: Amazon, hear: Hear
) -> None:
    account.output = lambda _: account.fail("Unsupported media format.")
    account.refuse("DeleteTranscriptionJob", "BadRequestException", NOT_DELETED, times=3)

    with pytest.raises(TranscriptionFailedError):
        await hear()

    await eventually(lambda: account.is_empty)
    assert account.calls.count("DeleteTranscriptionJob") == 4


async def test_a_call_that_wants_a_job_which_is_being_removed_adopts_it(
    account: Amazon, timing: Timing, time: FakeTime
) -> None:
    asleep = asyncio.Event()

    async def sleep(seconds: float) -> None:
        time.now += seconds
        asleep.set()
        await asyncio.Event().wait()

    account.refuse("DeleteTranscriptionJob", "BadRequestException", NOT_DELETED, times=1)
    jobs = TranscriptionJobs(account.api(), Threads(4), Timing(timing.clock, sleep, timing.random))
    call = asyncio.ensure_future(jobs.output(ORDER, BytesIO(b"fLaC"), SECONDS))
    await asleep.wait()  # until the job, which waits, is looked at again
    call.cancel()
    await asyncio.wait([call])
    await eventually(lambda: account.calls.count("DeleteTranscriptionJob") == 1)
    (job,) = account.jobs.values()
    job.status = "COMPLETED"

    assert await jobs.output(ORDER, BytesIO(b"fLaC"), SECONDS) == HEARD

    assert len(account.requests) == 1
    assert account.is_empty


async def test_a_process_that_ends_names_the_jobs_that_it_leaves(
    account: Amazon, timing: Timing, caplog: pytest.LogCaptureFixture
) -> None:
    async def sleep(_: float) -> None:
        await asyncio.Event().wait()

    account.output = lambda _: account.fail("Unsupported media format.")
    account.refuse("DeleteTranscriptionJob", "BadRequestException", NOT_DELETED)
    jobs = TranscriptionJobs(account.api(), Threads(4), Timing(timing.clock, sleep, timing.random))
    with pytest.raises(TranscriptionFailedError):
        await jobs.output(ORDER, BytesIO(b"fLaC"), SECONDS)

    with caplog.at_level(logging.WARNING):
        await jobs.leave(seconds=0.01)

    (record,) = [each for each in caplog.records if each.message == "transcription job is left behind"]
    assert record.__dict__["job"] == ORDER.name
