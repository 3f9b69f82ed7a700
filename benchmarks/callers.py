"""Callers that upload recordings as fast as they are answered, in a separate process.

    python -m benchmarks.callers URL CONCURRENCY SECONDS RECORDING

Each keeps one connection and sends prepared bytes over a bare socket, so that the callers do not limit the
measurement; `ceiling()` returns the requests a second to a server that does nothing. With SECONDS 0 each
uploads once.
"""

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.fast_bus import fast_bus
from benchmarks.fast_http import END_OF_HEAD, LENGTH, ROOT
from benchmarks.harness import percentile

BOUNDARY = "a-boundary"
STATUS_OK = re.compile(rb"HTTP/1\.1 200 ")


class Load(NamedTuple):
    """Answers and waiting times of the callers.

    Attributes:
        elapsed: seconds from the first request to the last answer.
        seconds: time of each answer.
    """

    elapsed: float
    seconds: list[float]

    @property
    def rate(self) -> float:
        """Return the answers a second."""
        return len(self.seconds) / self.elapsed

    def milliseconds(self, percent: int) -> float:
        """Return the waiting time within which this percentage was answered."""
        return percentile(self.seconds, percent) * 1000


def load(url: str, concurrency: int, seconds: float, recording: Path) -> Load:
    """Let a number of callers upload for some seconds."""
    command = (
        sys.executable,
        "-m",
        "benchmarks.callers",
        url,
        str(concurrency),
        str(seconds),
        str(recording),
    )
    answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    return Load(**json.loads(answer))


def ceiling(concurrency: int, seconds: float, recording: Path) -> float:
    """Return the uploads a second that the callers reach on a server that does nothing with them."""
    with fast_bus(0) as url:
        return load(url, concurrency, seconds, recording).rate


def request_bytes(url: str, recording: bytes) -> bytes:
    """Return the bytes of the whole request; its last header lets the stub bus answer it, too."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'.encode()
    body = head + recording + f"\r\n--{BOUNDARY}--\r\n".encode()
    lines = (
        "POST /batch/process HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        f"Content-Length: {len(body)}",
        "X-Amz-Target: PutEvents",
    )
    return "\r\n".join(lines).encode() + END_OF_HEAD + body


async def _call(address: tuple[str, int], request: bytes, until: float) -> list[float]:
    loop, seconds = asyncio.get_running_loop(), list[float]()
    with socket.socket() as connection:
        connection.setblocking(False)  # noqa: FBT003 - the library's own signature
        await loop.sock_connect(connection, address)
        while not seconds or time.perf_counter() < until:
            begun = time.perf_counter()
            await loop.sock_sendall(connection, request)
            await _answer(connection)
            seconds.append(time.perf_counter() - begun)
    return seconds


async def _answer(connection: socket.socket) -> None:
    loop, answer = asyncio.get_running_loop(), b""
    while True:
        received = await loop.sock_recv(connection, 65_536)
        answer += received
        head, found, body = answer.partition(END_OF_HEAD)
        length = LENGTH.search(head)
        if not received or (found and (not STATUS_OK.match(head) or length is None)):
            raise RuntimeError(f"not the answer that was wanted: {answer[:500]!r}")
        if found and length and len(body) >= int(length[1]):
            return


async def main(url: str, concurrency: int, seconds: float, recording: Path) -> None:
    """Upload, and print the result."""
    place = urlsplit(url)
    address = (place.hostname or "", place.port or 80)
    request = request_bytes(url, recording.read_bytes())  # noqa: ASYNC240 - before the first call
    begun = time.perf_counter()
    callers = (_call(address, request, begun + seconds) for _ in range(concurrency))
    answered = await asyncio.gather(*callers)
    elapsed = time.perf_counter() - begun
    print(json.dumps(Load(elapsed, [each for caller in answered for each in caller])._asdict()))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])))
