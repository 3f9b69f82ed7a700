"""Callers on a real socket: they disconnect, declare wrong lengths, are slow, or send no HTTP."""

import asyncio
import contextlib
import json
import logging
import resource
import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from uvicorn.server import ServerState

from bootstrap.container import Container
from entrypoints.api.app import create_app
from entrypoints.api.server.protocol import ProblemH11Protocol
from entrypoints.api.server.server import allow_many_connections, server_config
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for, exchange, multipart, post_head, serving, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def engine() -> FixedTranscriber:
    return FixedTranscriber(capacity=1)


@pytest.fixture
def container(tmp_path: Path, engine: FixedTranscriber) -> Container:
    return container_for(
        tmp_path / "spool",
        engine,
        MAX_UPLOAD_BYTES="1000000",
        UPLOAD_IDLE_SECONDS="2",
        TRANSCRIBER="canned",
    )


@pytest.fixture
def port(container: Container) -> Iterator[int]:
    with serving(container) as port:
        yield port


def uploads(container: Container) -> list[Path]:
    return list(container.settings().spool_dir.rglob("upload-*"))


def problem(answer: bytes) -> dict[str, object]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    value = json.loads(body)
    assert isinstance(value, dict)
    return value


@contextlib.contextmanager
def caller_at_work(port: int, engine: FixedTranscriber, *, surplus: bytes = b"") -> Iterator[socket.socket]:
    """Connect a caller whose recording the engine holds."""
    engine.held = True
    body = multipart(b"sound")
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(post_head(len(body)) + body + surplus)
        wait_until(lambda: engine.heard)
        yield connection


def test_a_whole_upload_on_the_wire_is_answered(port: int) -> None:
    body = multipart(b"sound")

    answer = exchange(port, post_head(len(body)), body)

    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"status":"published"' in answer


def test_a_caller_who_hangs_up_while_sending_leaves_nothing(
    port: int, container: Container, engine: FixedTranscriber, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    body = multipart(b"x" * 500_000)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(post_head(len(body)) + body[:250_000])
        wait_until(lambda: uploads(container))

    wait_until(lambda: not uploads(container))
    assert engine.heard == []
    wait_until(lambda: "request ended unanswered" in caplog.messages)
    assert "caller disconnected while it sent the recording" in caplog.messages


def test_a_caller_who_hangs_up_while_waiting_frees_the_slot(
    port: int, container: Container, engine: FixedTranscriber, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with caller_at_work(port, engine):
        pass

    wait_until(lambda: engine.cancelled == 1)
    wait_until(lambda: not uploads(container))
    wait_until(lambda: "request ended unanswered" in caplog.messages)
    assert "caller disconnected while it waited for the answer" in caplog.messages
    assert "request answered" not in caplog.messages
    engine.held = False
    body = multipart(b"sound")
    assert exchange(port, post_head(len(body)), body).startswith(b"HTTP/1.1 200")
    assert len(container.events().published) == 1


@pytest.mark.parametrize("surplus", [b"\r\n", b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n", b"x" * 60_000])
def test_a_caller_who_hangs_up_after_sending_more_than_its_request_frees_the_slot(
    port: int, engine: FixedTranscriber, surplus: bytes
) -> None:
    with caller_at_work(port, engine, surplus=surplus) as connection:
        connection.sendall(surplus[:10])

    wait_until(lambda: engine.cancelled == 1)


def test_a_caller_who_sends_much_more_than_its_request_is_cut_off(
    port: int, engine: FixedTranscriber
) -> None:
    with caller_at_work(port, engine) as connection:
        with contextlib.suppress(ConnectionError):  # it may notice before all is sent
            connection.sendall(b"x" * 1_000_000)
        wait_until(lambda: engine.cancelled == 1)


def test_requests_that_are_sent_at_once_are_answered_one_after_the_other(port: int) -> None:
    body = multipart(b"sound")
    request = post_head(len(body)) + body
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        connection.sendall(request * 3)
        answers = b""
        while answers.count(b'"status":"published"') < 3:
            answers += connection.recv(65536)

    assert answers.count(b"HTTP/1.1 200") == 3


def test_while_the_slot_is_taken_others_are_refused_before_they_send(
    port: int, engine: FixedTranscriber
) -> None:
    with caller_at_work(port, engine):
        answer = exchange(port, post_head(900_000))

    assert answer.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 7" in answer


def test_a_declared_length_over_the_limit_is_refused_before_anything_is_sent(port: int) -> None:
    answer = exchange(port, post_head(10**12))

    assert answer.startswith(b"HTTP/1.1 413")
    assert problem(answer)["type"] == "urn:batch-transcription:problem:recording-too-large"


def test_an_undeclared_length_over_the_limit_is_refused_while_streaming(
    port: int, container: Container
) -> None:
    head = post_head(0, "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
    start = multipart(b"")[: -len(b"\r\n--xyz--\r\n")]
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"

    answer = exchange(port, head, b"%x\r\n" % len(start) + start + b"\r\n", chunk)  # and no end in sight

    assert answer.startswith(b"HTTP/1.1 413")
    assert uploads(container) == []


def test_a_length_longer_than_the_body_ends_as_a_stalled_upload(port: int, container: Container) -> None:
    body = multipart(b"sound")

    answer = exchange(port, post_head(len(body) + 100), body)

    assert answer.startswith(b"HTTP/1.1 408")
    assert problem(answer)["type"] == "urn:batch-transcription:problem:stalled-upload"
    assert uploads(container) == []


def test_a_length_shorter_than_the_body_cuts_the_form(port: int) -> None:
    body = multipart(b"sound")

    answer = exchange(port, post_head(len(body) - 20), body[:-20])

    assert answer.startswith(b"HTTP/1.1 400")
    assert "closing boundary" in str(problem(answer)["detail"])


def test_a_refused_caller_that_goes_on_sending_reads_why(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        connection.sendall(b"BROKEN\r\n\r\n")
        for _ in range(20):  # a reset would be an error here, and would destroy the answer
            connection.sendall(b"x" * 50_000)
        answer = b"".join(iter(partial(connection.recv, 65536), b""))

    assert answer.startswith(b"HTTP/1.1 400")
    assert problem(answer)["type"] == "urn:batch-transcription:problem:invalid-request"


class BrokenTransport(asyncio.Transport):
    """Transport of a connection that the caller has reset: the first write closes it."""

    def __init__(self) -> None:
        super().__init__()
        self._is_closing = False

    def write(self, data: object) -> None:  # noqa: ARG002 - asyncio's signature
        self._is_closing = True

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True


async def test_a_refused_caller_that_has_reset_its_connection_is_not_answered_twice(
    container: Container, caplog: pytest.LogCaptureFixture
) -> None:
    head = post_head(0, "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
    app, state = create_app(container), ServerState()
    app.state.spool.open()
    protocol = ProblemH11Protocol(server_config(app), state, {})

    protocol.connection_made(BrokenTransport())
    protocol.data_received(head.replace(b"multipart/form-data", b"audio/wav") + b"no chunk\r\n")
    await asyncio.gather(*state.tasks)
    app.state.spool.close()

    assert "request refused" in caplog.messages
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def test_what_follows_an_answer_and_is_no_http_ends_the_connection_quietly(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    head = post_head(0, "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        connection.sendall(head.replace(b"multipart/form-data", b"audio/wav"))
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(65536)
        connection.sendall(b"no chunk\r\n")
        assert connection.recv(65536) == b""

    assert answer.startswith(b"HTTP/1.1 415")
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_caller_that_has_only_shut_its_own_side_is_answered(port: int, engine: FixedTranscriber) -> None:
    with caller_at_work(port, engine) as connection:
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(60)
        interim = connection.recv(65536)
        engine.let_go()
        answer = b"".join(iter(partial(connection.recv, 65536), b""))

    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200")
    assert engine.cancelled == 0


def test_a_caller_of_http_1_0_that_shuts_its_side_is_soon_taken_to_have_left(
    container: Container, engine: FixedTranscriber
) -> None:
    class Impatient(ProblemH11Protocol):
        left_seconds = 0.3

    engine.held = True
    body = multipart(b"sound")
    with (
        serving(container, http=Impatient) as port,
        socket.create_connection(("127.0.0.1", port), timeout=300) as connection,
    ):
        connection.sendall(post_head(len(body)).replace(b"HTTP/1.1", b"HTTP/1.0") + body)
        wait_until(lambda: engine.heard)
        connection.shutdown(socket.SHUT_WR)

        wait_until(lambda: engine.cancelled == 1)


HEALTH = b"GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.mark.parametrize(
    ("before", "drip"),
    [
        (b"", b""),
        (b"", b"POST /batch/process HTTP/1.1\r\nHost: te"),
        (HEALTH, b"GET /health/live HTTP/1.1\r\nHost"),
        (HEALTH.replace(b"\r\n\r\n", b"\r\nContent-Length: 1000\r\n\r\n"), b"a body after the answer"),
    ],
    ids=["nothing", "half a head", "half a second head", "a body after the answer"],
)
def test_a_caller_who_sends_no_request_in_time_is_cut_off(
    container: Container, before: bytes, drip: bytes
) -> None:
    class Impatient(ProblemH11Protocol):
        head_seconds = 2.0

    with (
        serving(container, http=Impatient) as port,
        socket.create_connection(("127.0.0.1", port), timeout=0.05) as connection,
    ):
        connection.sendall(before)
        wait_until(lambda: not before or _read(connection).startswith(b"HTTP/1.1 200"))
        with contextlib.suppress(ConnectionError):  # it may be cut off already
            for byte in drip[:3]:
                connection.sendall(bytes([byte]))
        wait_until(lambda: _is_closed(connection))


def test_a_caller_may_take_longer_for_a_body_and_between_requests_than_for_a_head(
    tmp_path: Path, engine: FixedTranscriber
) -> None:
    class Impatient(ProblemH11Protocol):
        head_seconds = 2.0

    body = multipart(b"sound")
    engine.held = True
    with (
        serving(container_for(tmp_path / "spool", engine), http=Impatient) as port,
        socket.create_connection(("127.0.0.1", port), timeout=2.5) as connection,
    ):
        connection.sendall(post_head(len(body)))
        assert _read(connection) == b""  # for longer than a head may take
        connection.sendall(body)
        wait_until(lambda: engine.heard)
        assert _read(connection) == b""
        engine.let_go()
        wait_until(lambda: _read(connection).endswith(b"}"))
        assert _read(connection) == b""
        connection.sendall(HEALTH)
        wait_until(lambda: _read(connection).startswith(b"HTTP/1.1 200"))


def _read(connection: socket.socket) -> bytes:
    """Read what has arrived; empty after the connection's time-out."""
    try:
        return connection.recv(65536) or pytest.fail("it was closed")
    except TimeoutError:
        return b""


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(65536) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def test_an_upgrade_to_websockets_is_no_way_around_the_app(port: int) -> None:
    upgrade = b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"

    answer = exchange(port, HEALTH.removesuffix(b"\r\n") + upgrade)

    assert answer.startswith(b"HTTP/1.1 200")


def test_the_server_as_a_whole_lists_its_methods(port: int) -> None:
    answer = exchange(port, b"OPTIONS * HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 204")
    assert b"\r\nallow: DELETE, GET, HEAD, OPTIONS, POST\r\n" in answer


def test_as_many_connections_may_be_open_as_the_system_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        allow_many_connections()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_folded_header_arrives_on_one_line(port: int, container: Container) -> None:
    body = multipart(b"sound")

    exchange(port, post_head(len(body), "X-User-ID: alice\n X-Account-ID: injected"), body)

    (event,) = container.events().published
    assert (event.user_id, event.account_id) == ("alice X-Account-ID: injected", None)


def test_what_is_in_flight_is_finished_at_the_end(container: Container, engine: FixedTranscriber) -> None:
    engine.held = True
    body = multipart(b"sound")
    answers: list[bytes] = []
    with serving(container) as port:
        caller = threading.Thread(
            target=lambda: answers.append(_patiently(port, post_head(len(body)) + body))
        )
        caller.start()
        wait_until(lambda: engine.heard)
        threading.Timer(0.3, engine.let_go).start()  # by then the server is being stopped
    caller.join(60)

    assert answers[0].startswith(b"HTTP/1.1 200")
    assert not container.settings().spool_dir.exists() or uploads(container) == []


def _patiently(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        connection.sendall(request)
        return connection.recv(65536)
