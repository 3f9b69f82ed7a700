import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import exceptions as botocore
from botocore.config import Config
from botocore.stub import Stubber
from moto import mock_aws

from adapters.aws.errors import translate_payload_errors
from adapters.aws.s3 import S3PayloadStore
from domain.model.errors import PayloadStoreError
from domain.model.events import TranscriptRef
from tests.contracts.payload_store_port import PayloadStorePortContract, Store
from tests.factories import an_event
from tests.integration.localstack import free_port

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def a_client(url: str | None = None) -> "S3Client":
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="made-up",
        config=Config(connect_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 1}),
    )


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


def test_a_store_that_cannot_be_reached_may_be_tried_again() -> None:
    store = S3PayloadStore(a_client(f"http://127.0.0.1:{free_port()}"), bucket="transcripts")

    with pytest.raises(PayloadStoreError, match="check the network"):
        store.store(an_event())


@pytest.mark.parametrize("error", [botocore.NoCredentialsError(), KeyError("Headers"), ValueError()])
def test_no_error_of_botocore_escapes(error: Exception) -> None:
    with pytest.raises(PayloadStoreError), translate_payload_errors():
        raise error
