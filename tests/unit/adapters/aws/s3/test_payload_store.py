import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from adapters.aws.s3.payload_store import S3PayloadStore
from domain.model.errors import PayloadStoreError
from domain.model.events.event import TranscriptRef
from domain.model.route.route import Finding, RouteComponent
from tests.contracts.payload_store_port import PayloadStorePortContract, Store
from tests.support.aws.s3_clients import a_client
from tests.support.harness.ports import free_port
from tests.support.samples.factories import an_event

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@pytest.fixture
def client() -> Iterator["S3Client"]:
    with mock_aws():
        client = a_client()
        client.create_bucket(Bucket="transcripts")
        yield client


class TestS3PayloadStore(PayloadStorePortContract):
    @pytest.fixture
    def store(self, client: "S3Client") -> Store:
        def fetch(ref: TranscriptRef) -> bytes:
            return client.get_object(Bucket=ref.bucket, Key=ref.key)["Body"].read()

        return Store(
            S3PayloadStore(client, bucket="transcripts"), fetch, S3PayloadStore(client, bucket="nowhere")
        )


def test_the_object_is_encrypted_typed_and_checked(client: "S3Client") -> None:
    sent: dict[str, Any] = {}
    client.meta.events.register(
        "before-call.s3.PutObject", lambda params, **_: sent.update(params["headers"])
    )

    ref = S3PayloadStore(client, bucket="transcripts").store(an_event())

    head = client.head_object(Bucket="transcripts", Key=ref.key)
    assert head["ServerSideEncryption"] == "AES256"
    assert head["ContentType"] == "application/json"
    assert base64.b64decode(sent["x-amz-checksum-sha256"]).hex() == ref.sha256


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", "SlowDown", "BadDigest", "InternalError"])
def test_a_refusal_names_its_code_and_quotes_nothing(code: str) -> None:
    client = a_client()
    with Stubber(client) as stubber:
        stubber.add_client_error("put_object", code, "my secret" if code != "AccessDenied" else "")

        with pytest.raises(PayloadStoreError, match=code) as refusal:
            S3PayloadStore(client, bucket="transcripts").store(an_event())
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", "SlowDown", "404", "InternalError"])
def test_only_s3_itself_tells_that_an_object_is_gone(code: str) -> None:
    ref = TranscriptRef(bucket="transcripts", key="transcripts/a/b.json", size=7, sha256="0f" * 32)
    client = a_client()
    store = S3PayloadStore(client, bucket="transcripts")
    with Stubber(client) as stubber:
        stubber.add_client_error("get_object", code)
        with pytest.raises(PayloadStoreError, match=code):
            store.get(ref)
        stubber.add_client_error("get_object", "NoSuchKey")
        assert store.get(ref) is None


def test_a_store_that_cannot_be_reached_may_be_tried_again_and_is_not_proven_broken() -> None:
    store = S3PayloadStore(a_client(f"http://127.0.0.1:{free_port()}"), bucket="transcripts")

    with pytest.raises(PayloadStoreError, match="check the network"):
        store.store(an_event())
    (finding,) = store.diagnose()
    assert not finding.proven
    assert "check the network" in finding.evidence


def diagnosed(code: str | None, message: str = "") -> tuple[Finding, ...]:
    """Return the findings where S3 answers the probe with this error, or with none."""
    client = a_client()
    with Stubber(client) as stubber:
        if code:
            stubber.add_client_error("upload_part", code, message)
        else:
            stubber.add_response("upload_part", {"ETag": "made-up"})
        return S3PayloadStore(client, bucket="transcripts").diagnose()


def test_a_bucket_that_does_not_exist_is_proven_and_named() -> None:
    (finding,) = diagnosed("NoSuchBucket")

    assert (finding.component, finding.proven) == (RouteComponent.PAYLOAD_BUCKET, True)
    assert finding.problem == "the bucket transcripts does not exist"
    assert "`aws s3 mb s3://transcripts`" in finding.remedy


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDenied", "give these credentials the permission"),
        ("InvalidAccessKeyId", "check the credentials"),
        ("SlowDown", "SlowDown"),
    ],
)
def test_what_keeps_us_from_looking_is_not_proven_and_told(code: str, advice: str) -> None:
    (finding,) = diagnosed(code)

    assert not finding.proven
    assert finding.problem == "the payload bucket could not be checked"
    assert code in finding.evidence
    assert advice in finding.evidence
    assert "s3:PutObject on arn:aws:s3:::transcripts/transcripts/*" in finding.remedy


def test_whoever_accepts_a_part_of_no_upload_is_not_s3() -> None:
    (finding,) = diagnosed(None)

    assert not finding.proven
    assert "this is not S3" in finding.evidence


def test_the_probe_can_store_nothing() -> None:
    client = a_client()
    part = {"Bucket": "transcripts", "Key": ANY, "PartNumber": 1, "UploadId": "none", "Body": b""}
    with Stubber(client) as stubber:
        stubber.add_client_error("upload_part", "NoSuchUpload", expected_params=part)

        assert S3PayloadStore(client, bucket="transcripts").diagnose() == ()
