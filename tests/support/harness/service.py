"""The HTTP service for tests: in this process with a double for the engine, or on a real socket."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from dependency_injector import providers

from bootstrap.container import Container, build_container
from bootstrap.settings import Settings
from entrypoints.api.app import create_app
from entrypoints.api.server.server import server_config
from ports.transcriber_port import TranscriberPort

PATIENCE_SECONDS = 60.0
"""For what takes a moment: a machine may be slow, and busy with something else."""


def container_for(spool: Path, transcriber: TranscriberPort | None = None, **environ: str) -> Container:
    """A container with events in memory, and the engine replaced where a double is given."""
    own = {"SPOOL_DIR": str(spool), "DATABASE_URL": f"sqlite:///{spool.parent}/transcripts.db"}
    settings = Settings.from_env({"EVENT_TRANSPORT": "memory", **own, **environ})
    container = build_container(settings)
    if transcriber is not None:
        container.transcriber.override(providers.Object(transcriber))
    return container


@contextlib.contextmanager
def serving(container: Container) -> Iterator[int]:
    """The service on a real socket, as `transcripts serve` runs it; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(server_config(create_app(container)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(60)
        listener.close()


def multipart(content: bytes, *, name: str = "file", filename: str = "a.wav", boundary: str = "xyz") -> bytes:
    """A form with one field, as it travels."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
    return head.encode() + content + f"\r\n--{boundary}--\r\n".encode()


def post_head(length: int | str, *extra: str, boundary: str = "xyz") -> bytes:
    """The head of an upload, as it travels."""
    lines = (
        "POST /batch/process HTTP/1.1",
        "Host: test",
        f"Content-Type: multipart/form-data; boundary={boundary}",
        f"Content-Length: {length}",
        *extra,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def exchange(port: int, *parts: bytes) -> bytes:
    """Send raw bytes, and read until the answer is complete or the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
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
    """Poll a condition until it holds; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


async def eventually(condition: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Like `wait_until`, for a condition that this event loop has to bring about."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a process or the kernel brings it about
            await asyncio.sleep(0.01)
