"""Minimal web server for stubs, in a separate process, too fast to limit a measurement."""

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
END_OF_HEAD = b"\r\n\r\n"

Answer = Callable[[bytes, bytes], tuple[bytes, float]]
"""Answer to a head and a body, and its delay in seconds."""


@contextlib.contextmanager
def running(module: str, argument: object) -> Iterator[str]:
    """Run a module that calls `serve` in a separate process; yield its URL."""
    command = (sys.executable, "-m", module, str(argument))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - stdout is a pipe
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


async def serve(answer: Answer) -> None:
    """Print a port, and answer on it until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(answer), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def response(body: str, status: str = "200 OK") -> bytes:
    """Return an HTTP answer with a JSON document."""
    content = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {len(content)}"
    return head.encode() + END_OF_HEAD + content


class _Connection(asyncio.Protocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(END_OF_HEAD)
        length = LENGTH.search(head)
        if not found or length is None or len(rest) < int(length[1]):
            return
        self._buffer = rest[int(length[1]) :]
        answer, seconds = self._answer(head, rest[: int(length[1])])
        asyncio.get_running_loop().call_later(seconds, self._write, answer)

    def _write(self, answer: bytes) -> None:
        assert isinstance(self._transport, asyncio.WriteTransport)  # noqa: S101 - true of a stream
        self._transport.write(answer)
