from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber
from moto import mock_aws

from adapters.aws.s3.recording_source import S3RecordingSource
from adapters.downloads import DownloadLimits
from domain.model.errors import (
    RecordingStoreUnavailableError,
    RecordingTooLargeError,
    SourceRefusedError,
    SourceUnavailableError,
)
from tests.support.aws.s3_clients import a_client
from tests.support.harness.ports import free_port

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Build = Callable[..., S3RecordingSource]


@pytest.fixture(scope="module")
def client() -> Iterator["S3Client"]:
    with mock_aws():
        client = a_client()
        for bucket in ("calls", "shared", "payroll"):
            client.create_bucket(Bucket=bucket)
            client.put_object(Bucket=bucket, Key="incoming/a b%20c.wav", Body=b"RIFF")
        yield client


@pytest.fixture
def build(client: "S3Client") -> Build:
    def build(*places: tuple[str, str], of: "S3Client" = client, **limits: Any) -> S3RecordingSource:
        limited = DownloadLimits(**{"max_bytes": 100, "has_room": lambda _: True, **limits})
        return S3RecordingSource(lambda: of, places or (("calls", ""), ("shared", "incoming")), limited)

    return build


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "fetched"


@pytest.mark.parametrize("bucket", ["calls", "shared"])
def test_a_recording_in_a_listed_place_is_fetched_by_its_key_as_it_is(
    build: Build, target: Path, bucket: str
) -> None:
    url = f"s3://{bucket}/incoming/a b%20c.wav"

    build().check(url)
    build().fetch(url, target, Event())

    assert target.read_bytes() == b"RIFF"


def test_a_download_whose_job_is_lost_ends(build: Build, target: Path) -> None:
    cancelled = Event()
    cancelled.set()

    with pytest.raises(SourceUnavailableError, match="the job was stopped"):
        build().fetch("s3://calls/incoming/a b%20c.wav", target, cancelled)


@pytest.mark.parametrize(
    "url",
    [
        "s3://payroll/incoming/a b%20c.wav",
        "s3://shared/a.wav",
        "s3://shared/incoming",
        "s3://shared/incoming-of-others/a.wav",
        "s3://shared/Incoming/a.wav",
        "s3://call/a.wav",
        "s3://calls.evil/a.wav",
    ],
)
def test_another_place_is_refused_with_the_setting_that_names_the_places(
    build: Build, target: Path, url: str
) -> None:
    with pytest.raises(SourceRefusedError, match="SOURCE_BUCKETS"):
        build().check(url)
    with pytest.raises(SourceRefusedError, match="SOURCE_BUCKETS"):
        build().fetch(url, target, Event())


def test_without_a_list_every_place_is_refused(client: "S3Client") -> None:
    source = S3RecordingSource(lambda: client, (), DownloadLimits(100, lambda _: True))

    with pytest.raises(SourceRefusedError, match="SOURCE_BUCKETS"):
        source.check("s3://calls/incoming/a.wav")


@pytest.mark.parametrize(
    "url",
    [
        "s3://calls",
        "s3://calls/",
        "s3:///a.wav",
        "s3://calls:443/a.wav",
        "s3://user@calls/a.wav",
        "s3://arn:aws:s3:us-east-1:123456789012:accesspoint/calls/a.wav",
        "s3://calls/incoming/../secret",
        "s3://shared/incoming/../a.wav",
        "s3://shared/incoming/./a.wav",
        "s3://shared/incoming//a.wav",
        "s3://shared/incoming/",
        "s3://calls/a\r\nb",
        "s3://calls/a\0",
        "s3://calls/" + "ä" * 600,
        "s3://calls/\ud800",
    ],
)
def test_a_malformed_url_is_refused(build: Build, url: str) -> None:
    with pytest.raises(SourceRefusedError):
        build().check(url)


def test_a_missing_recording_is_refused(build: Build, target: Path) -> None:
    with pytest.raises(SourceRefusedError, match=r"s3://calls/incoming/b\.wav cannot be fetched: NoSuchKey"):
        build().fetch("s3://calls/incoming/b.wav", target, Event())


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDenied", SourceRefusedError),
        ("NoSuchBucket", SourceRefusedError),
        ("InvalidObjectState", SourceRefusedError),
        ("SlowDown", SourceUnavailableError),
        ("InternalError", SourceUnavailableError),
        ("ExpiredToken", SourceUnavailableError),
        ("InvalidAccessKeyId", SourceUnavailableError),
    ],
)
def test_the_code_says_whether_to_try_again_and_no_role_is_named(
    build: Build, target: Path, code: str, kind: type[Exception]
) -> None:
    client = a_client()
    with Stubber(client) as stubber:
        stubber.add_client_error("get_object", code, "arn:aws:iam::123456789012:role/ours may not")

        with pytest.raises(kind, match=code) as failure:
            build(of=client).fetch("s3://calls/incoming/a.wav", target, Event())

    assert type(failure.value) is kind
    assert "role/ours" not in str(failure.value)


def test_s3_that_is_away_may_be_tried_again(build: Build, target: Path) -> None:
    away = a_client(f"http://127.0.0.1:{free_port()}")

    with pytest.raises(SourceUnavailableError, match="check the network"):
        build(of=away).fetch("s3://calls/incoming/a.wav", target, Event())


def test_limits_hold_before_a_byte_is_read(build: Build, target: Path) -> None:
    url = "s3://calls/incoming/a b%20c.wav"

    with pytest.raises(RecordingTooLargeError, match="larger than 3 bytes"):
        build(max_bytes=3).fetch(url, target, Event())
    with pytest.raises(RecordingStoreUnavailableError, match="MIN_FREE_BYTES"):
        build(has_room=lambda _: False).fetch(url, target, Event())

    assert not target.exists()


def test_a_body_that_is_cut_may_be_tried_again(build: Build, target: Path) -> None:
    client = a_client()
    cut = {"ContentLength": 8, "ETag": "made-up", "Body": StreamingBody(BytesIO(b"RIFF"), 8)}
    with Stubber(client) as stubber:
        stubber.add_response("get_object", cut)

        with pytest.raises(SourceUnavailableError, match="IncompleteReadError"):
            build(of=client).fetch("s3://calls/incoming/a.wav", target, Event())
