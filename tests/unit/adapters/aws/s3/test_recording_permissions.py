"""Policies of the roles, compared with the calls of the stores and sources of recordings."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from adapters.aws.iam.policies import eraser, operator, publisher
from adapters.aws.iam.resources import PolicyResources, S3Place
from adapters.aws.s3.recording_source import S3RecordingSource
from adapters.aws.s3.recording_store import PARTS, S3RecordingStore
from adapters.downloads import DownloadLimits
from adapters.scratch import ScratchFolders
from domain.model.errors import RecordingStoreUnavailableError
from domain.model.route.route import RouteNames
from tests.support.aws.calls import ACCOUNT, REGION, Recorder
from tests.support.aws.iam import allows, unused
from tests.support.samples.jobs import an_owner

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PLACE = S3Place("calls", "team/recordings/")


@pytest.fixture
def client() -> Iterator["S3Client"]:
    with mock_aws():
        client = boto3.client(
            "s3", region_name=REGION, aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="made-up"
        )
        client.create_bucket(Bucket=PLACE.bucket)
        yield client


@pytest.fixture
def recorder(client: "S3Client") -> Recorder:
    recorder = Recorder()
    client.meta.events.register("provide-client-params.*.*", recorder.record)
    return recorder


@pytest.fixture
def store(client: "S3Client", tmp_path: Path) -> S3RecordingStore:
    return S3RecordingStore(
        client,
        bucket=PLACE.bucket,
        prefix=PLACE.prefix,
        owner=an_owner(),
        scratch=ScratchFolders(tmp_path / "fetched"),
        has_room=lambda _: True,
    )


def ours(role: Callable[[PolicyResources], Any], **places: Any) -> dict[str, Any]:
    """Return the statements that a role has for these places alone."""
    without = role(PolicyResources(RouteNames(), "aws", REGION, ACCOUNT))["Statement"]
    with_places = role(PolicyResources(RouteNames(), "aws", REGION, ACCOUNT, **places))
    return {"Statement": [each for each in with_places["Statement"] if each not in without]}


def test_the_publishers_policy_allows_what_the_store_calls_and_no_more(
    client: "S3Client", recorder: Recorder, store: S3RecordingStore, tmp_path: Path
) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.touch()
    with large.open("wb") as file:
        file.truncate(2 * PARTS.multipart_chunksize)

    key = store.put(small)
    with store.fetched(key):
        pass
    assert list(store.keys(older_than_seconds=-60.0)) == [key]
    store.delete(key)
    client.meta.events.register("before-call.s3.UploadPart", _fail)
    with pytest.raises(RecordingStoreUnavailableError):
        store.put(large)

    policy = ours(publisher, recordings=PLACE)
    assert [str(call) for call in sorted(recorder.calls) if not allows(policy, call)] == []
    assert unused(policy, recorder.calls) == []


def test_the_publishers_policy_suffices_to_erase_from_a_bucket_without_versions(
    recorder: Recorder, store: S3RecordingStore, tmp_path: Path
) -> None:
    (tmp_path / "small").touch()

    assert store.erase(store.put(tmp_path / "small")) is None

    policy = ours(publisher, recordings=PLACE)
    assert [str(call) for call in recorder.calls if not allows(policy, call)] == []


def test_the_erasers_policy_allows_erasing_from_a_bucket_with_versions_and_no_more(
    client: "S3Client", store: S3RecordingStore, tmp_path: Path
) -> None:
    client.put_bucket_versioning(Bucket=PLACE.bucket, VersioningConfiguration={"Status": "Enabled"})
    (tmp_path / "small").touch()
    key, asked = store.put(tmp_path / "small"), Recorder()
    client.meta.events.register("provide-client-params.*.*", asked.record)

    assert store.erase(key) is None

    policy = eraser(PolicyResources(RouteNames(), "aws", REGION, ACCOUNT, recordings=PLACE))
    assert [str(call) for call in asked.calls if not allows(policy, call)] == []
    assert unused(policy, asked.calls) == []


def _fail(**_: object) -> None:
    raise OSError(5, "Input/output error")


def test_the_operators_policy_allows_the_doctors_probe_and_no_more(
    recorder: Recorder, store: S3RecordingStore
) -> None:
    store.probe()

    policy = ours(operator, recordings=PLACE)
    assert [str(call) for call in recorder.calls if not allows(policy, call)] == []
    assert unused(policy, recorder.calls) == []


def test_the_publishers_policy_allows_fetching_from_the_listed_places_and_no_more(
    client: "S3Client", tmp_path: Path
) -> None:
    places = (S3Place("calls", "incoming"), S3Place("shared"))
    client.create_bucket(Bucket="shared")
    source = S3RecordingSource(lambda: client, places, DownloadLimits(10, lambda _: True))
    for bucket in ("calls", "shared"):
        client.put_object(Bucket=bucket, Key="incoming/a.wav", Body=b"RIFF")
    asked = Recorder()
    client.meta.events.register("provide-client-params.*.*", asked.record)

    for bucket in ("calls", "shared"):
        source.fetch(f"s3://{bucket}/incoming/a.wav", tmp_path / bucket, Event())

    policy = ours(publisher, sources=places)
    assert [str(call) for call in sorted(asked.calls) if not allows(policy, call)] == []
    assert unused(policy, asked.calls) == []
