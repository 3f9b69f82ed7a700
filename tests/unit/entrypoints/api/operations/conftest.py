"""A service with a provisioned route on moto's AWS, and its operator."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from bootstrap.container import Container
from entrypoints.api.app import create_app
from tests.support.aws.moto_server import moto_server
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.faults.servers import CREDENTIALS
from tests.support.harness.access import FromPeer
from tests.support.harness.service import container_for

HERE = {"Host": "localhost:8000"}


class Site(NamedTuple):
    """The service, and requests of its operator on the same machine."""

    container: Container
    api: TestClient

    def get(self, path: str, **query: Any) -> Any:
        return self.api.get(f"/operations{path}", params=query, headers=HERE)

    def post(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return self.api.post(f"/operations{path}", params=query, headers=HERE | (headers or {}))

    @property
    def sqs(self) -> Any:
        return self.container.queues()

    def queue_url(self, name: str) -> str:
        url: str = self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return url

    def dead_letter(self, body: str) -> str:
        """Send a dead letter, and return its id."""
        url = self.queue_url(self.container.settings().dlq_name)
        message_id: str = self.sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"]
        return message_id

    def delivered(self) -> list[str]:
        """Take the bodies of the messages in the consumers' queue."""
        url = self.queue_url(self.container.settings().queue_name)
        found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [message["Body"] for message in found]


@pytest.fixture(scope="session")
def _moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Folder of archived dead letters."""
    return tmp_path / "letters"


@pytest.fixture
def site(_moto: str, tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with _site(_moto, tmp_path, monkeypatch, DLQ_ARCHIVE=str(archive)) as site:
        yield site


@pytest.fixture
def site_without_archive(_moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with _site(_moto, tmp_path, monkeypatch) as site:
        yield site


@contextmanager
def _site(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **environ: str) -> Iterator[Site]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    name = f"q-{uuid4().hex}"
    container = container_for(
        tmp_path / "spool",
        FixedTranscriber(),
        EVENT_TRANSPORT="eventbridge",
        AWS_ENDPOINT_URL=moto,
        QUEUE_NAME=name,
        DLQ_NAME=f"{name}-dlq",
        RULE_NAME=f"{name}-rule",
        **environ,
    )
    container.completed.infrastructure().provision()
    app = FromPeer(create_app(container))
    app.peer = "127.0.0.1"
    with TestClient(app, raise_server_exceptions=False) as api:
        yield Site(container, api)
