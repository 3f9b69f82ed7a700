"""Calls over a real connection, with the clients of the service."""

import os
from collections.abc import Iterator
from io import BytesIO
from threading import Event
from urllib.request import Request, urlopen

import pytest
from moto.server import ThreadedMotoServer

from adapters.aws.transcribe.api import PARTS, TranscribeApi
from adapters.aws.transcribe.order import JobOrder
from bootstrap.aws.clients import AwsAccess, sound_client, transcribe_client
from tests.support.aws.transcribe import BUCKET, REGION

pytestmark = pytest.mark.slow

ORDER = JobOrder(bucket=BUCKET, sound="ab" * 32)


@pytest.fixture
def access(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsAccess]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    access = AwsAccess(REGION, f"http://{host}:{port}")
    urlopen(Request(f"{access.endpoint_url}/moto-api/reset", method="POST")).close()  # noqa: S310 - http
    sound_client(access).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    yield access
    server.stop()


@pytest.fixture
def api(access: AwsAccess) -> TranscribeApi:
    return TranscribeApi(transcribe_client(access), sound_client(access), bucket=BUCKET)


@pytest.mark.parametrize("size", [1, 2 * PARTS.multipart_threshold + 1])
def test_a_sound_arrives_whole_and_leaves_the_file_open(api: TranscribeApi, size: int) -> None:
    sound = BytesIO(os.urandom(size))

    api.upload(sound, ORDER.media_key, Event())

    assert api.download(ORDER.media_key) == sound.getvalue()


def test_a_stopped_upload_leaves_no_object(api: TranscribeApi, access: AwsAccess) -> None:
    stop = Event()
    stop.set()

    with pytest.raises(InterruptedError):
        api.upload(BytesIO(b"fLaC"), ORDER.media_key, stop)

    assert sound_client(access).list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_a_job_is_started_found_and_deleted_once(api: TranscribeApi) -> None:
    assert api.find(ORDER.name) is None
    assert (api.start(ORDER), api.start(ORDER)) == (True, False)
    assert api.find(ORDER.name) is not None
    assert api.delete(ORDER.name)
    assert api.find(ORDER.name) is None
    assert api.delete(ORDER.name)


def test_removing_what_is_not_there_is_no_error(api: TranscribeApi) -> None:
    api.remove(ORDER.output_key)
