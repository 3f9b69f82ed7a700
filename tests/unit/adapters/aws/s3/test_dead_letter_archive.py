"""The archive of dead letters in S3."""

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber
from moto import mock_aws

from adapters.aws.s3.dead_letter_archive import S3Archive
from domain.model.errors import ArchiveError
from tests.contracts.dead_letter_archive_port import DeadLetterArchivePortContract, Ground, a_message
from tests.support.aws.s3_clients import a_client

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

pytestmark = pytest.mark.slow

BUCKET = "dead-letters"


@pytest.fixture
def client() -> Iterator["S3Client"]:
    with mock_aws():
        client = a_client()
        client.create_bucket(Bucket=BUCKET)
        yield client


class TestS3Archive(DeadLetterArchivePortContract):
    @pytest.fixture
    def archive(self, client: "S3Client") -> Ground:
        return Ground(
            S3Archive(client, bucket=BUCKET, prefix="a/b"),
            S3Archive(client, bucket=BUCKET, prefix="/a/b/"),
            S3Archive(client, bucket="nowhere"),
        )


@pytest.mark.parametrize(("prefix", "key"), [("", "0f-1.json"), ("a", "a/0f-1.json")])
def test_objects_are_encrypted_and_lie_under_the_prefix(client: "S3Client", prefix: str, key: str) -> None:
    S3Archive(client, bucket=BUCKET, prefix=prefix).keep(a_message())

    assert client.head_object(Bucket=BUCKET, Key=key)["ServerSideEncryption"] == "AES256"


def test_other_objects_are_left_alone_and_broken_ones_are_named(client: "S3Client") -> None:
    archive = S3Archive(client, bucket=BUCKET, prefix="a")
    archive.keep(a_message())
    for key in ("a/notes.txt", "a/b/c.json", "b.json"):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"other")
    assert len(list(archive.messages())) == 1

    client.put_object(Bucket=BUCKET, Key="a/x.json", Body=b"other")
    with pytest.raises(ArchiveError, match=r"s3://dead-letters/a/x.json is no archived message"):
        list(archive.messages())


def test_more_than_a_page_of_objects_is_read() -> None:
    client: Any = a_client()
    content = a_message().to_json().encode()
    with Stubber(client) as stubber:
        first = {"Contents": [{"Key": "a.json"}], "IsTruncated": True, "NextContinuationToken": "next"}
        stubber.add_response("list_objects_v2", first)
        stubber.add_response("list_objects_v2", {"Contents": [{"Key": "b.json"}], "IsTruncated": False})
        for _ in range(2):
            body = StreamingBody(BytesIO(content), len(content))
            stubber.add_response("get_object", {"Body": body})

        assert len(list(S3Archive(client, bucket=BUCKET).messages())) == 2


def test_an_object_that_holds_something_else_is_found_out() -> None:
    client: Any = a_client()
    with Stubber(client) as stubber:
        stubber.add_response("put_object", {})
        stubber.add_response("get_object", {"Body": StreamingBody(BytesIO(b"other"), 5)})

        with pytest.raises(ArchiveError, match="does not hold what was written"):
            S3Archive(client, bucket=BUCKET).keep(a_message())


def test_a_refusal_names_its_code_and_what_was_not_written() -> None:
    client: Any = a_client()
    with Stubber(client) as stubber:
        stubber.add_client_error("put_object", "AccessDenied", "")

        with pytest.raises(ArchiveError, match=r"s3://dead-letters/0f-1.json was not written: AccessDenied"):
            S3Archive(client, bucket=BUCKET).keep(a_message())
