"""Stores and sources of recordings that the settings choose, and a job while its bucket is away."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from dependency_injector import providers
from moto import mock_aws

from adapters.aws.s3.recording_store import S3RecordingStore
from adapters.files.recordings import FolderRecordingStore
from adapters.scratch import ScratchFolders
from bootstrap.container import Container, build_container
from bootstrap.settings import Settings
from domain.model.errors import RecordingStoreUnavailableError, SourceRefusedError, SourceUnavailableError
from domain.model.identity import Identity
from domain.model.jobs import JobState
from domain.services.jobs.jobs import JobRequest
from domain.services.jobs.sources import RecordingSources
from ports.recording_source_port import RecordingSourcePort
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.web.authority import Authority
from tests.support.web.tls_server import tls_server

Build = Callable[..., Container]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2-hunter2")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="calls")
        yield "calls"


@pytest.fixture
def container(tmp_path: Path) -> Build:
    def build(transcriber: FixedTranscriber | None = None, **environ: str) -> Container:
        own = {"DATA_DIR": str(tmp_path), "EVENT_TRANSPORT": "noop", "MIN_FREE_BYTES": "0"}
        return build_container(Settings.from_env({**own, **environ}), transcriber or FixedTranscriber())

    return build


def test_a_folder_is_the_default_and_needs_no_credentials(container: Build) -> None:
    assert isinstance(container().recordings(), FolderRecordingStore)


def test_a_bucket_is_chosen_by_its_address(container: Build, bucket: str) -> None:
    assert isinstance(container(RECORDING_STORE=f"s3://{bucket}/jobs").recordings(), S3RecordingStore)


def test_databases_that_share_a_store_delete_no_recordings_of_each_other(
    container: Build, tmp_path: Path
) -> None:
    one, other = (container(DATABASE_URL=f"sqlite:///{tmp_path}/{name}.db") for name in ("one", "other"))
    files = [tmp_path / name for name in ("of a job", "of no job")]
    for file in files:
        file.write_bytes(b"sound")
    job = other.job_service().submit(files[0], JobRequest(Identity(uuid4(), "alice", None), uuid4()))
    orphan = one.recordings().put(files[1])
    folder = tmp_path / "recordings"
    for stored in folder.iterdir():
        os.utime(stored, (1, 1))  # long ago

    one.job_sweeper().sweep()

    assert job.order.recording
    assert [each.name for each in folder.iterdir()] == [job.order.recording.key]
    assert orphan != job.order.recording.key


async def test_a_job_waits_while_its_bucket_is_away_and_is_completed_afterwards(
    container: Build, bucket: str, tmp_path: Path
) -> None:
    transcriber = FixedTranscriber()
    service = container(transcriber, RECORDING_STORE=f"s3://{bucket}/jobs")
    upload, tenant = tmp_path / "upload", uuid4()
    upload.write_bytes(b"RIFF")
    job = service.job_service().submit(upload, JobRequest(Identity(tenant, "user", None), uuid4()))
    store = service.recordings()
    assert isinstance(store, S3RecordingStore)
    away = store._client.meta.events
    away.register("before-call.s3.GetObject", _go_away, unique_id="away")

    for _ in range(4):
        assert await service.job_worker().run_job(job.id)
        waiting = service.jobs().find(job.id)
        assert waiting is not None
        assert waiting.problem is not None
        assert (waiting.state, waiting.failures) == (JobState.QUEUED, 0)
        assert waiting.problem.reason == "recording-store-unavailable"
        _make_due(service)
    away.unregister("before-call.s3.GetObject", unique_id="away")

    assert await service.job_worker().run_job(job.id)
    done = service.jobs().find(job.id)
    assert done is not None
    assert done.state is JobState.COMPLETED
    assert transcriber.heard == [b"RIFF"]


def _go_away(**_: object) -> None:
    raise EndpointConnectionError(endpoint_url="https://s3.amazonaws.com")


def _make_due(service: Container) -> None:
    with service.database().engine.begin() as connection:
        connection.exec_driver_sql("UPDATE jobs SET due_at = 0")


def test_both_kinds_of_urls_have_a_source_with_the_rules_of_the_settings(
    container: Build, bucket: str, tmp_path: Path
) -> None:
    boto3.client("s3", region_name="us-east-1").put_object(Bucket=bucket, Key="in/a.wav", Body=b"RIFF")
    strict = container().recording_sources()
    open_to_us = container(
        SOURCE_BUCKETS=f"{bucket}/in", SOURCE_ALLOW_NETWORKS="10.0.0.0/8"
    ).recording_sources()

    for url in (f"s3://{bucket}/in/a.wav", "https://10.0.0.1/a.wav", "http://media.example.com/"):
        with pytest.raises(SourceRefusedError):
            strict.check(url)
    strict.check("https://media.example.com/a.wav")
    open_to_us.check("https://10.0.0.1/a.wav")
    stored = open_to_us.fetch(f"s3://{bucket}/in/a.wav", Event())

    assert (tmp_path / "recordings" / stored.key).read_bytes() == b"RIFF"


def test_no_recording_is_fetched_onto_a_full_disk(container: Build, bucket: str) -> None:
    boto3.client("s3", region_name="us-east-1").put_object(Bucket=bucket, Key="a.wav", Body=b"RIFF")
    sources = container(SOURCE_BUCKETS=bucket, MIN_FREE_BYTES=str(2**60)).recording_sources()

    with pytest.raises(RecordingStoreUnavailableError, match="MIN_FREE_BYTES"):
        sources.fetch(f"s3://{bucket}/a.wav", Event())


def test_a_host_of_the_operators_network_and_authority_is_reached_on_its_port(
    container: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    sources = container(SOURCE_ALLOW_NETWORKS="127.0.0.0/8").recording_sources()

    with tls_server(authority.serving("127.0.0.1")) as server:
        stored = sources.fetch(f"https://127.0.0.1:{server.port}/a.wav", Event())

    assert (tmp_path / "recordings" / stored.key).read_bytes() == b"RIFF"


class _EndlessSource(RecordingSourcePort):
    """Source that sends nothing until it is cancelled."""

    def __init__(self) -> None:
        self.began = Event()
        self.ended = Event()

    def check(self, url: str, /) -> None:
        """Allow every URL."""

    def fetch(self, url: str, target: Path, cancelled: Event, /) -> None:  # noqa: ARG002 - nothing is sent
        self.began.set()
        assert cancelled.wait(240)
        self.ended.set()
        raise SourceUnavailableError("cancelled")


async def test_a_fetch_ends_with_its_worker_and_the_job_is_queued_again(
    container: Build, tmp_path: Path
) -> None:
    service, source = container(), _EndlessSource()
    scratch = ScratchFolders(tmp_path / "fetched")
    service.recording_sources.override(
        providers.Object(RecordingSources(service.recordings(), {"https": source}, scratch.folder))
    )
    request = JobRequest(Identity(uuid4(), "user", None), uuid4())
    job = service.job_service().submit_url("https://media.example.com/a.wav", request)

    working = asyncio.ensure_future(service.job_worker().run_job(job.id))
    await asyncio.to_thread(source.began.wait, 240)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)

    assert await asyncio.to_thread(source.ended.wait, 240)
    queued = service.jobs().find(job.id)
    assert queued is not None
    assert (queued.state, queued.failures) == (JobState.QUEUED, 0)
