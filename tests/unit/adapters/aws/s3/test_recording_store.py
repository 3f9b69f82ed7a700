import hashlib
import tracemalloc
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber
from moto import mock_aws

from adapters.aws.s3.recording_store import PARTS, S3RecordingStore
from adapters.scratch import ScratchFolders
from domain.model.errors import RecordingGoneError, RecordingStoreUnavailableError
from tests.contracts.recording_store_port import RecordingStorePortContract, Store, recording
from tests.support.aws.s3_clients import a_client
from tests.support.harness.ports import free_port
from tests.support.samples.jobs import an_owner

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

__all__ = ["recording"]

BUCKET, PREFIX = "calls", "team/recordings"
OWNER = "0f" * 16

Build = Callable[..., S3RecordingStore]


@pytest.fixture(scope="module")
def shared_client() -> Iterator["S3Client"]:
    """Return one client for all tests, since building one takes as long as ten calls."""
    with mock_aws():
        client = a_client()
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def client(shared_client: "S3Client") -> Iterator["S3Client"]:
    yield shared_client
    for key in objects(shared_client):
        shared_client.delete_object(Bucket=BUCKET, Key=key)


@pytest.fixture
def build(client: "S3Client", tmp_path: Path) -> Build:
    def build(**options: Any) -> S3RecordingStore:
        usual = {
            "client": client,
            "bucket": BUCKET,
            "prefix": PREFIX,
            "owner": lambda: OWNER,
            "scratch": ScratchFolders(tmp_path / "fetched"),
            "has_room": lambda _: True,
        }
        return S3RecordingStore(**{**usual, **options})

    return build


def objects(client: "S3Client") -> list[str]:
    return [each["Key"] for each in client.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


class TestS3RecordingStore(RecordingStorePortContract):
    @pytest.fixture
    def store(self, build: Build) -> Store:
        return Store(build(), build(), build(bucket="nowhere"), build(owner=an_owner()))


def test_a_recording_is_an_object_below_the_prefix(client: "S3Client", build: Build, recording: Path) -> None:
    key = build().put(recording)

    assert objects(client) == [f"team/recordings/{key}"]
    head = client.head_object(Bucket=BUCKET, Key=f"team/recordings/{key}")
    assert head["Metadata"] == {"sha256": hashlib.sha256(recording.read_bytes()).hexdigest()}


@pytest.mark.parametrize("prefix", ["", "/", "a", "a/", "/a/b/"])
def test_each_way_to_write_a_prefix_leads_back(build: Build, recording: Path, prefix: str) -> None:
    store = build(prefix=prefix)

    key = store.put(recording)

    assert list(store.keys(older_than_seconds=-60.0)) == [key]
    with store.fetched(key) as file:
        assert file.read_bytes() == recording.read_bytes()


def test_objects_of_others_are_never_recordings_of_ours(client: "S3Client", build: Build) -> None:
    for name in (
        "thesis.pdf",
        f"{PREFIX}/thesis.pdf",
        f"{PREFIX}/deeper/{OWNER}-{'ab' * 16}.recording",
        "doctor-1",
    ):
        client.put_object(Bucket=BUCKET, Key=name, Body=b"")

    assert list(build().keys(older_than_seconds=-60.0)) == []
    assert list(build(prefix="").keys(older_than_seconds=-60.0)) == []


def test_the_copy_on_this_machine_is_private_and_removed_whatever_happens(
    build: Build, recording: Path, tmp_path: Path
) -> None:
    store = build()
    key = store.put(recording)

    with store.fetched(key) as file:
        assert [each.stat().st_mode & 0o077 for each in file.parents[:2]] == [0, 0]
    with pytest.raises(ZeroDivisionError), store.fetched(key):
        raise ZeroDivisionError
    with pytest.raises(RecordingGoneError), store.fetched("unknown"):
        pass

    assert list((tmp_path / "fetched").iterdir()) == []


def test_a_download_whose_job_is_lost_ends_and_leaves_no_file(
    build: Build, recording: Path, tmp_path: Path
) -> None:
    store, cancelled = build(), Event()
    key = store.put(recording)
    cancelled.set()

    with (
        pytest.raises(RecordingStoreUnavailableError, match="the job was stopped"),
        store.fetched(key, cancelled),
    ):
        pytest.fail("it was downloaded")

    assert list((tmp_path / "fetched").iterdir()) == []


@pytest.mark.slow
def test_a_large_recording_travels_in_parts_and_one_part_is_in_memory(build: Build, tmp_path: Path) -> None:
    client = a_client()
    size = 3 * PARTS.multipart_chunksize + 1
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(size)
    parts: list[str] = []
    client.meta.events.register("before-call.s3.UploadPart", lambda model, **_: parts.append(model.name))

    key = build(client=client).put(large)

    assert len(parts) == 4
    tracemalloc.start()
    try:
        with build().fetched(key) as file:
            assert file.stat().st_size == size
        # moto holds the object; a copy of it would be another three parts
        assert tracemalloc.get_traced_memory()[1] < 2 * size
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_an_upload_that_fails_leaves_no_parts(build: Build, tmp_path: Path) -> None:
    client = a_client()
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(2 * PARTS.multipart_chunksize)

    def fail(**_: object) -> None:
        raise OSError(5, "Input/output error")

    client.meta.events.register("before-call.s3.UploadPart", fail)

    with pytest.raises(RecordingStoreUnavailableError, match="Input/output error"):
        build(client=client).put(large)

    assert "Uploads" not in client.list_multipart_uploads(Bucket=BUCKET)


def test_without_room_on_this_machine_nothing_is_read(build: Build, recording: Path) -> None:
    asked: list[int] = []

    def has_room(size: int) -> bool:
        asked.append(size)
        return False

    store = build(has_room=has_room)
    key = store.put(recording)

    with pytest.raises(RecordingStoreUnavailableError, match="MIN_FREE_BYTES"), store.fetched(key):
        pytest.fail("a recording is fetched without room")

    assert asked == [recording.stat().st_size]


def test_an_object_that_was_changed_is_not_transcribed(
    client: "S3Client", build: Build, recording: Path
) -> None:
    store = build()
    key = store.put(recording)
    client.put_object(Bucket=BUCKET, Key=f"{PREFIX}/{key}", Body=b"another", Metadata={"sha256": "0" * 64})

    with pytest.raises(RecordingGoneError, match="damaged"):
        store.fetched(key).__enter__()


def test_a_download_that_is_cut_is_an_outage(build: Build, tmp_path: Path) -> None:
    client = a_client()
    cut = {"ContentLength": 8, "ETag": "made-up", "Body": StreamingBody(BytesIO(b"RIFF"), 8)}
    with Stubber(client) as stubber:
        stubber.add_response("get_object", cut)

        with pytest.raises(RecordingStoreUnavailableError, match="IncompleteReadError"):
            build(client=client).fetched("ab" * 16 + ".recording").__enter__()

    assert list((tmp_path / "fetched").iterdir()) == []


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDenied", "give these credentials the permission"),
        ("ExpiredToken", "check the credentials"),
        ("SlowDown", "SlowDown"),
        ("NoSuchBucket", "NoSuchBucket"),
    ],
)
def test_a_refusal_names_the_bucket_the_code_and_the_remedy(
    build: Build, recording: Path, code: str, advice: str
) -> None:
    client = a_client()
    with Stubber(client) as stubber:
        stubber.add_client_error("put_object", code, "a secret" if code != "AccessDenied" else "")

        with pytest.raises(RecordingStoreUnavailableError) as refusal:
            build(client=client).put(recording)

    assert "RECORDING_STORE=s3://calls/team/recordings/" in str(refusal.value)
    assert advice in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_bucket_that_cannot_be_reached_is_an_outage_and_not_a_loss(build: Build, recording: Path) -> None:
    key = build().put(recording)
    away = build(client=a_client(f"http://127.0.0.1:{free_port()}"))

    with pytest.raises(RecordingStoreUnavailableError, match="check the network"), away.fetched(key):
        pytest.fail("a recording is provided by a store that is away")
    with build().fetched(key) as file:
        assert file.read_bytes() == recording.read_bytes()


def test_the_probe_leaves_nothing_behind(client: "S3Client", build: Build) -> None:
    build().probe()

    assert objects(client) == []


def test_the_probe_of_a_bucket_that_does_not_exist_fails(build: Build) -> None:
    with pytest.raises(RecordingStoreUnavailableError, match="NoSuchBucket"):
        build(bucket="nowhere").probe()
