"""The HTTP service for tests: in this process with a double for the engine, or on a real socket."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from dependency_injector import providers

from bootstrap.container import Container, build_container
from bootstrap.settings import Settings
from entrypoints.api.app import create_app
from entrypoints.api.server.protocol import ProblemH11Protocol
from entrypoints.api.server.server import Server, server_config
from ports.transcriber_port import TranscriberPort
from tests.support.databases.migrated import copy_migrated

PATIENCE_SECONDS = 240.0
"""Generous: a machine may be slow and busy."""


def container_for(spool: Path, transcriber: TranscriberPort | None = None, **environ: str) -> Container:
    """Build a container with events in memory, and a double in place of the engine where one is given.

    Recordings are kept, so that no sweep in the background changes a job that a test looks at.
    """
    own = {"SPOOL_DIR": str(spool), "DATA_DIR": str(spool.parent), "RECORDING_KEEP_DAYS": "1"}
    settings = Settings.from_env({"EVENT_TRANSPORT": "memory", **own, **environ})
    if "DATABASE_URL" not in environ:
        copy_migrated(settings.data_dir / "transcripts.db")
    container = build_container(settings)
    if transcriber is not None:
        container.transcriber.override(providers.Object(transcriber))
    return container


@contextlib.contextmanager
def serving(container: Container, *, http: type[ProblemH11Protocol] = ProblemH11Protocol) -> Iterator[int]:
    """Run the service on a real socket, as `transcripts serve` does, and yield its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(container)
    server = Server(server_config(app, http=http), app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(60)
        listener.close()
        assert not thread.is_alive(), "the server did not end"


def multipart(content: bytes, *, name: str = "file", filename: str = "a.wav", boundary: str = "xyz") -> bytes:
    """Encode a form with one field."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
    return head.encode() + content + f"\r\n--{boundary}--\r\n".encode()


def post_head(length: int | str, *extra: str, boundary: str = "xyz") -> bytes:
    """Encode the head of an upload request."""
    lines = (
        "POST /batch/process HTTP/1.1",
        "Host: test",
        f"Content-Type: multipart/form-data; boundary={boundary}",
        f"Content-Length: {length}",
        *extra,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def exchange(port: int, *parts: bytes) -> bytes:
    """Send raw bytes, and read until the answer is complete or the connection closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        for part in parts:
            connection.sendall(part)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while block := connection.recv(65536):
                answer += block
                if _is_complete(answer):
                    break
        return answer


def _is_complete(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if found and line.startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    return False


def wait_until(condition: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Poll a condition until it holds; fail when it does not hold in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


async def eventually(condition: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Poll a condition like `wait_until`, without blocking the event loop."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - no event signals it
            await asyncio.sleep(0.01)
