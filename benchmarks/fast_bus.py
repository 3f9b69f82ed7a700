"""An EventBridge that accepts everything after a while, in a process of its own: never what is measured.

    python -m benchmarks.fast_bus LATENCY_SECONDS

prints its port, and answers until it is ended.
"""

import asyncio
import contextlib
import functools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
END_OF_HEAD = b"\r\n\r\n"


@contextlib.contextmanager
def fast_bus(latency_seconds: float) -> Iterator[str]:
    """The bus in its process; yields its URL."""
    command = (sys.executable, "-m", "benchmarks.fast_bus", str(latency_seconds))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


class _Connection(asyncio.Protocol):
    def __init__(self, latency_seconds: float) -> None:
        self._latency_seconds = latency_seconds
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
        is_put = b"PutEvents" in head
        answer = accepted(rest.count(b'"DetailType"')) if is_put else REFUSED
        asyncio.get_running_loop().call_later(self._latency_seconds if is_put else 0, self._write, answer)

    def _write(self, answer: bytes) -> None:
        assert isinstance(self._transport, asyncio.WriteTransport)  # noqa: S101 - of a stream it is
        self._transport.write(answer)


def _http(status: str, document: object) -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {len(body)}"
    return head.encode() + END_OF_HEAD + body


REFUSED = _http("400 Bad Request", {"__type": "UnknownOperationException"})


@functools.cache
def accepted(count: int) -> bytes:
    """The answer to so many entries."""
    entries = [{"EventId": f"11710aed-b79e-4468-a20b-{number:012}"} for number in range(count)]
    return _http("200 OK", {"FailedEntryCount": 0, "Entries": entries})


async def main(latency_seconds: float) -> None:
    """Serve for ever."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(latency_seconds), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
