"""Policy of the roles, compared with the calls of the engine: it allows these and no others."""

import asyncio
from collections.abc import Callable
from io import BytesIO
from threading import Event
from typing import Any

import pytest

from adapters.aws.iam.policies import operator, publisher
from adapters.aws.iam.resources import PolicyResources
from adapters.aws.transcribe.api import PARTS
from adapters.aws.transcribe.jobs import TranscriptionJobs
from adapters.aws.transcribe.order import JobOrder
from adapters.aws.transcribe.patience import Timing
from adapters.aws.transcribe.threads import Threads
from domain.model.route.route import RouteNames
from tests.support.aws.calls import ACCOUNT, REGION, Recorder
from tests.support.aws.iam import allows, unused
from tests.support.aws.transcribe import BUCKET, Amazon
from tests.support.harness.service import eventually

PARTITION = "aws"
ORDER = JobOrder(bucket=BUCKET, sound="ab" * 32)


@pytest.fixture
def recorder(account: Amazon) -> Recorder:
    recorder = Recorder()
    for client in (account.transcribe, account.s3):
        client.meta.events.register("provide-client-params.*.*", recorder.record)
    return recorder


def ours(role: Callable[[PolicyResources], Any]) -> dict[str, Any]:
    """Return the statements that a role has for this engine alone."""
    names = RouteNames()
    without = role(PolicyResources(names, PARTITION, REGION, ACCOUNT))["Statement"]
    with_engine = role(PolicyResources(names, PARTITION, REGION, ACCOUNT, transcribe_bucket=BUCKET))
    return {"Statement": [each for each in with_engine["Statement"] if each not in without]}


async def test_the_publishers_policy_allows_what_jobs_need_and_no_more(
    account: Amazon, timing: Timing, recorder: Recorder
) -> None:
    account.output = lambda _: b"heard"
    jobs = TranscriptionJobs(account.api(), Threads(2), timing)

    await jobs.output(ORDER, BytesIO(b"fLaC"), 60.0)
    await _cancel_a_large_upload(account, jobs)

    made = {
        call for call in recorder.calls if call.resource != f"arn:aws:s3:::{BUCKET}"
    }  # the test looks there
    assert [str(call) for call in sorted(made) if not allows(ours(publisher), call)] == []
    assert unused(ours(publisher), made) == []


async def _cancel_a_large_upload(account: Amazon, jobs: TranscriptionJobs) -> None:
    began, may_go_on = Event(), Event()

    def hold(**_: object) -> None:
        began.set()
        may_go_on.wait(60)

    account.s3.meta.events.register("before-call.*.UploadPart", hold)
    sound = BytesIO(bytes(2 * PARTS.multipart_threshold))
    call = asyncio.ensure_future(jobs.output(ORDER, sound, 60.0))
    await asyncio.to_thread(began.wait, 60)
    call.cancel()
    may_go_on.set()
    await asyncio.wait([call])
    await eventually(lambda: account.calls.count("DeleteTranscriptionJob") == 2)
    assert "AbortMultipartUpload" in account.calls
    unrecorded = account.session.client("s3")
    assert unrecorded.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


def test_the_operators_policy_allows_the_doctors_probe_and_no_more(
    account: Amazon, recorder: Recorder
) -> None:
    account.api().check_access(account.session.region_name)

    assert [str(call) for call in recorder.calls if not allows(ours(operator), call)] == []
    assert unused(ours(operator), recorder.calls) == []
