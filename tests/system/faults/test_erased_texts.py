"""A whole installation after an erasure: no store, no file, no object and no log has the text any more."""

import json
import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from dependency_injector import providers
from fastapi.testclient import TestClient
from sqlalchemy import inspect, text

from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.container import Container, build_container
from bootstrap.factories.database import prepare_database
from bootstrap.settings import Settings
from domain.model.outbox import OutboxState
from domain.model.transcripts import Segment, Transcript
from entrypoints.api.app import create_app
from tests.support.aws.moto_server import moto_server
from tests.support.aws.s3_clients import a_client
from tests.support.databases.databases import own_postgresql_server
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.cases import typical_first
from tests.support.harness.installed_command import transcripts
from tests.support.harness.job_api import JobCaller
from tests.support.harness.service import wait_until

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

pytestmark = [pytest.mark.process, pytest.mark.slow]

MARKER = "xylophone at midnight"
BUCKET = "large-transcripts"
SPOKEN = Transcript(duration_seconds=60.0, segments=(Segment(start=0, end=60, text=f"{MARKER} " * 200),))


@pytest.fixture(params=typical_first(["sqlite", "postgresql"], typical=["sqlite"]))
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/transcripts.db"
        return
    with own_postgresql_server() as server:
        yield server.new_url()


@pytest.fixture
def aws() -> Iterator[str]:
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(aws: str) -> "S3Client":
    client = a_client(aws)
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture
def environ(url: str, aws: str, tmp_path: Path) -> dict[str, str]:
    """Settings under which every store keeps its texts: nothing is dropped by itself."""
    return {
        "DATABASE_URL": url,
        "DATA_DIR": str(tmp_path),
        "SPOOL_DIR": str(tmp_path / "spool"),
        "AWS_ENDPOINT_URL": aws,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "EVENT_TRANSPORT": "eventbridge",
        "EVENT_MAX_BYTES": "1000",
        "PAYLOAD_BUCKET": BUCKET,
        "OUTBOX_KEEP_DAYS": "30",
        "RECORDING_KEEP_DAYS": "30",
        "LOG_LEVEL": "DEBUG",
    }


def versions(client: "S3Client") -> list[bytes]:
    """Return the contents of all versions of all objects."""
    return [
        client.get_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"])["Body"].read()
        for each in client.list_object_versions(Bucket=BUCKET).get("Versions", ())
    ]


def rows(url: str) -> dict[str, str]:
    """Return the content of every table as a text."""
    with closing(prepare_database(url)) as database, database.engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        queries = {name: text(f"SELECT * FROM {name}") for name in tables}  # noqa: S608 - names of our tables
        return {name: str([tuple(row) for row in connection.execute(queries[name])]) for name in tables}


def places_with_the_marker(folder: Path, url: str, client: "S3Client") -> set[str]:
    """Search files, tables and objects; the name of each place that has the marker is returned."""
    files = {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    found = {name for name, content in files.items() if MARKER.encode() in content}
    found |= {name for name, content in rows(url).items() if MARKER in content}
    return found | {"S3" for content in versions(client) if MARKER.encode() in content}


def fill(container: Container, url: str) -> str:
    """Process a recording in the request and another as a job; return the tenant."""
    container.transcriber.override(providers.Object(FixedTranscriber(SPOKEN)))
    container.completed.infrastructure().provision()
    with TestClient(create_app(container)) as api:
        caller = JobCaller(api)
        answer = caller.submit(
            MARKER.encode(), path="/batch/process", headers={"Idempotency-Key": uuid4().hex}
        )
        assert answer.status_code == 200, answer.text
        caller.ended(caller.submitted(MARKER.encode()))
        wait_until(lambda: SqlOutbox(container.database()).counts().waiting == 0)
    states = {record.state for record in SqlOutbox(container.database()).records()}
    assert states == {OutboxState.PUBLISHED}, url
    container.database().close()
    return caller.tenant


def test_an_erased_text_is_nowhere(
    environ: dict[str, str],
    url: str,
    tmp_path: Path,
    bucket: "S3Client",
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    tenant = fill(build_container(Settings.from_env(environ)), url)
    before = places_with_the_marker(tmp_path, url, bucket)
    assert before >= {"S3", "jobs", "outbox", "idempotency_keys"}

    erased = transcripts("erase", "--tenant", tenant, "--yes", "--json", **environ)

    report: dict[str, Any] = json.loads(erased.stdout)
    assert erased.returncode == 0, erased.stdout + erased.stderr
    assert report["erased"]["interactions"] == 2
    assert report["erased"]["payloads"] == 2
    assert places_with_the_marker(tmp_path, url, bucket) == set()
    assert MARKER not in caplog.text + erased.stdout + erased.stderr
    assert bucket.list_object_versions(Bucket=BUCKET).get("DeleteMarkers", []) == []
