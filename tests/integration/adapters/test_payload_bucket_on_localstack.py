"""Check of the payload bucket on a real S3 store."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from adapters.aws.s3.payload_store import S3PayloadStore
from domain.model.route.route import RouteComponent


def test_a_bucket_is_told_from_none_and_nothing_is_left_behind(aws: Callable[..., Any]) -> None:
    client, bucket = aws("s3"), f"transcripts-{uuid4().hex}"
    store = S3PayloadStore(client, bucket=bucket)

    (missing,) = store.diagnose()
    client.create_bucket(Bucket=bucket)
    found = store.diagnose()

    assert (missing.component, missing.proven) == (RouteComponent.PAYLOAD_BUCKET, True)
    assert found == ()
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)
    assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)
