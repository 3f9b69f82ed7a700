"""The doctor's look at Transcribe and at the bucket, which costs nothing."""

import pytest

from adapters.aws.transcribe.api import TranscribeApi
from domain.model.errors import TranscriberUnavailableError
from tests.support.aws.transcribe import BUCKET, REGION, Amazon


def test_a_bucket_in_the_region_is_fine(account: Amazon) -> None:
    account.api().check_access(REGION)

    assert account.calls == ["ListTranscriptionJobs", "HeadBucket"]


def test_a_bucket_that_does_not_exist_is_named_with_what_to_do(account: Amazon) -> None:
    with pytest.raises(TranscriberUnavailableError, match="bucket nowhere does not exist: create it"):
        TranscribeApi(account.transcribe, account.s3, bucket="nowhere").check_access(REGION)


def test_a_bucket_of_others_is_named_with_the_permission(account: Amazon) -> None:
    account.refuse("HeadBucket", "403", status=403)

    with pytest.raises(TranscriberUnavailableError, match=f"bucket {BUCKET} refuses us: .* s3:ListBucket"):
        account.api().check_access(REGION)


def test_a_bucket_in_another_region_is_refused(account: Amazon) -> None:
    with pytest.raises(TranscriberUnavailableError, match=f"lies in {REGION}; jobs in us-east-1"):
        account.api().check_access("us-east-1")


def test_a_missing_permission_for_transcribe_is_named(account: Amazon) -> None:
    account.refuse("ListTranscriptionJobs", "AccessDeniedException", "User x may not", status=400)

    with pytest.raises(
        TranscriberUnavailableError, match=r"AccessDeniedException at ListTranscriptionJobs: .*User x may not"
    ):
        account.api().check_access(REGION)


def test_another_fault_of_s3_is_named_by_its_code(account: Amazon) -> None:
    account.refuse("HeadBucket", "500", status=500)

    with pytest.raises(TranscriberUnavailableError, match="Amazon S3 failed: 500 at HeadBucket"):
        account.api().check_access(REGION)
