"""Erasure in a bucket with versions: nothing is left, or S3 refuses it, and the error says so."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from adapters.aws.s3.payload_store import S3PayloadStore
from adapters.aws.s3.recording_store import S3RecordingStore
from adapters.aws.s3.versions import delete_versions
from adapters.scratch import ScratchFolders
from domain.model.errors import PayloadStoreError
from tests.support.aws.s3_clients import a_client
from tests.support.samples.factories import an_event
from tests.support.samples.jobs import an_owner

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "versioned"


@pytest.fixture
def client() -> Iterator["S3Client"]:
    with mock_aws():
        client = a_client()
        client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        yield client


def versions(client: "S3Client") -> list[tuple[str, bool]]:
    """Return the keys of all versions, and of all markers of deletions."""
    found = client.list_object_versions(Bucket=BUCKET)
    kept = [(each["Key"], False) for each in found.get("Versions", ())]
    return kept + [(each["Key"], True) for each in found.get("DeleteMarkers", ())]


def a_store(client: "S3Client", folder: Path) -> S3RecordingStore:
    return S3RecordingStore(
        client,
        bucket=BUCKET,
        prefix="calls",
        owner=an_owner(),
        scratch=ScratchFolders(folder),
        has_room=lambda _: True,
    )


def test_every_version_and_every_marker_is_deleted_and_no_other_object(client: "S3Client") -> None:
    for key in ("a", "a", "a", "a.json"):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"text")
    client.delete_object(Bucket=BUCKET, Key="a")

    assert delete_versions(client, BUCKET, "a") == 3

    assert versions(client) == [("a.json", False)]
    assert delete_versions(client, BUCKET, "a") == 0


def test_more_versions_than_a_page_are_deleted(client: "S3Client") -> None:
    def in_small_pages(params: dict[str, object], **_: object) -> None:
        params["MaxKeys"] = 2

    client.meta.events.register("provide-client-params.s3.ListObjectVersions", in_small_pages)
    for _ in range(5):
        client.put_object(Bucket=BUCKET, Key="a", Body=b"")

    assert delete_versions(client, BUCKET, "a") == 5
    assert versions(client) == []


def test_versions_of_large_transcripts_are_erased(client: "S3Client") -> None:
    store, event = S3PayloadStore(client, bucket=BUCKET), an_event()
    for _ in range(2):
        store.store(event)

    assert store.erase(event.tenant_id, event.interaction_id) == 2
    assert versions(client) == []


def test_a_version_under_object_lock_is_told_and_does_not_keep_the_others(client: "S3Client") -> None:
    store, event = S3PayloadStore(client, bucket=BUCKET), an_event()
    key = store.store(event).key
    client.put_object(
        Bucket=BUCKET,
        Key=key,
        Body=b"locked",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=datetime.now(UTC) + timedelta(days=30),
    )
    store.store(event)

    with pytest.raises(PayloadStoreError, match=r"was not erased: .*AccessDenied"):
        store.erase(event.tenant_id, event.interaction_id)

    assert versions(client) == [(key, False)]


def test_a_recording_is_erased_with_its_versions(client: "S3Client", tmp_path: Path) -> None:
    store, upload = a_store(client, tmp_path), tmp_path / "upload"
    upload.write_bytes(b"sound")
    key = store.put(upload)

    assert store.erase(key) is None
    assert versions(client) == []


def test_a_role_that_may_not_delete_versions_deletes_the_recording_and_says_so(
    client: "S3Client", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, upload = a_store(client, tmp_path), tmp_path / "upload"
    upload.write_bytes(b"sound")
    key = store.put(upload)

    def denied(*_: object, **__: object) -> int:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "ListObjectVersions")

    with monkeypatch.context() as patched:
        patched.setattr("adapters.aws.s3.recording_store.delete_versions", denied)
        problem = store.erase(key)

    assert problem
    assert "AccessDenied" in problem
    assert list(store.keys(older_than_seconds=-60)) == []
    assert store.erase(key) is None
    assert versions(client) == []
