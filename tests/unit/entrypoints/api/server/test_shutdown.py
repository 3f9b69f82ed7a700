"""End of the server: slow uploads are refused, recordings that have arrived are answered."""

import json
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bootstrap.container import Container
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for, multipart, post_head, serving, wait_until

BODY = multipart(b"sound" * 2000)
UPLOAD = post_head(len(BODY)) + BODY


def started(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(partial(connection.recv, 65536), b""))


def uploads(container: Container) -> list[Path]:
    return list(container.settings().spool_dir.rglob("upload-*"))


def test_what_arrives_too_slowly_is_refused_and_what_has_arrived_is_finished(tmp_path: Path) -> None:
    engine = FixedTranscriber()
    engine.held = True
    container = container_for(tmp_path / "spool", engine, SHUTDOWN_GRACE_SECONDS="0.3")
    answers: list[bytes] = []
    refused: list[BaseException] = []

    def follow_the_end(port: int, slow: socket.socket) -> None:
        answers.append(read_all(slow))  # the engine is held until the slow caller has its answer
        slow.close()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=300).close()
        except ConnectionRefusedError as error:
            refused.append(error)
        engine.let_go()

    with (
        socket.socket() as slow,
        socket.socket() as patient,
        serving(container) as port,
    ):
        for connection, sent in ((patient, UPLOAD), (slow, UPLOAD[:-1000])):
            connection.settimeout(60)
            connection.connect(("127.0.0.1", port))
            connection.sendall(sent)
        wait_until(lambda: engine.heard and len(uploads(container)) == 2)
        following = started(lambda: follow_the_end(port, slow))
        reading = started(lambda: answers.append(read_all(patient)))
    following.join(60)
    reading.join(60)

    refusal, answer = answers
    head, _, body = refusal.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503")
    assert b"\r\nretry-after: " in head
    assert b"\r\nconnection: close" in head
    assert json.loads(body)["type"] == "urn:batch-transcription:problem:shutting-down"
    assert len(refused) == 1
    assert answer.startswith(b"HTTP/1.1 200")
    assert len(container.events().published) == 1
    assert uploads(container) == []


def test_an_upload_that_ends_in_time_is_answered_at_the_end(tmp_path: Path) -> None:
    engine = FixedTranscriber()
    container = container_for(tmp_path / "spool", engine, SHUTDOWN_GRACE_SECONDS="60")
    with socket.socket() as caller:
        with serving(container) as port:
            caller.settimeout(60)
            caller.connect(("127.0.0.1", port))
            caller.sendall(UPLOAD[:-1000])
            wait_until(lambda: uploads(container))
            sending = threading.Timer(0.3, caller.sendall, [UPLOAD[-1000:]])
            sending.start()  # by then the server is being stopped
        answer = read_all(caller)

    assert answer.startswith(b"HTTP/1.1 200")
    assert engine.heard == [b"sound" * 2000]


def test_a_server_without_requests_ends_at_once_with_connections_open(tmp_path: Path) -> None:
    container = container_for(tmp_path / "spool", FixedTranscriber(), SHUTDOWN_GRACE_SECONDS="3600")
    with socket.socket() as idle, socket.socket() as half:
        with serving(container) as port:
            for connection, sent in ((idle, b""), (half, b"POST /batch/pro")):
                connection.settimeout(60)
                connection.connect(("127.0.0.1", port))
                connection.sendall(sent)
        assert read_all(idle) == b""
