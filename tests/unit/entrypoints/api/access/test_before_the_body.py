"""Callers are refused before their bodies are read."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from entrypoints.api.app import create_app
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.access import STRANGER
from tests.support.harness.service import container_for, post_head, serving

BODIES = [
    ("/batch/process", b"multipart/form-data; boundary=xyz"),
    ("/batch/jobs", b"multipart/form-data; boundary=xyz"),
    ("/batch/jobs", b"application/json"),
]
BEGINNING = b"--xyz\r\nContent-Disposition: form-data; name=file\r\n\r\n" + b"x" * 5000


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A service with keys, on a real socket."""
    with serving(container_for(tmp_path / "spool", FixedTranscriber(), AUTH="key")) as port:
        yield port


def test_a_body_without_an_end_is_answered_at_once_and_stored_nowhere(port: int, tmp_path: Path) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        connection.sendall(post_head(2**40) + BEGINNING)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while b"}" not in answer and (block := connection.recv(65536)):
                answer += block

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b'www-authenticate: Bearer realm="batch-transcription"\r\n' in answer
    assert list((tmp_path / "spool").rglob("upload-*")) == []


def test_a_caller_that_waits_for_leave_to_send_gets_none(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        connection.sendall(post_head(2**40, "Expect: 100-continue"))

        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(("path", "content_type"), BODIES)
async def test_no_byte_of_a_body_is_asked_for(tmp_path: Path, path: str, content_type: bytes) -> None:
    app = create_app(container_for(tmp_path / "spool", FixedTranscriber(), AUTH="key"))
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        raise AssertionError("the body is read")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"headers": [(b"content-type", content_type)], "client": (STRANGER, 1), "http_version": "1.1"}
    await app(scope, receive, send)

    assert sent[0]["status"] == 401
