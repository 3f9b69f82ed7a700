"""How much memory a large upload costs the server's process: its peak before and after."""

import argparse
import http.client
import struct
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from benchmarks.servers import service

MIB = 2**20
BYTES_PER_SECOND = 48_000 * 2 * 2
BOUNDARY = "a-boundary"


def main() -> None:
    """Upload silence of the given size, and print what it cost."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mib", type=int, default=1024, help="size of the recording")
    size = arguments.parse_args().mib * MIB
    environ = {"TRANSCRIBER": "canned", "EVENT_TRANSPORT": "memory", "TRANSCRIBER_WORKERS": "1"}
    with service(environ) as running:
        _upload(running.url, MIB)  # what the first request loads is not what this one costs
        before = running.peak_memory_bytes()
        began = time.perf_counter()
        status = _upload(running.url, size)
        seconds = time.perf_counter() - began
        rise = running.peak_memory_bytes() - before
    print(f"upload of {size / MIB:.0f} MiB: HTTP {status} in {seconds:.1f} s")
    print(f"peak resident memory before {before / MIB:.1f} MiB, rise {rise / MIB:.1f} MiB")


def _upload(url: str, size: int) -> int:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    ).encode() + _wav_header(size)
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=600)
    connection.request(
        "POST",
        "/batch/process",
        body=_body(head, size, tail),
        headers={
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Content-Length": str(len(head) + size + len(tail)),
        },
    )
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _body(head: bytes, size: int, tail: bytes) -> Iterator[bytes]:
    yield head
    silence = bytes(MIB)
    for _ in range(size // MIB):
        yield silence
    yield tail


def _wav_header(size: int) -> bytes:
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 48_000, BYTES_PER_SECOND, 4, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + fmt + struct.pack("<4sI", b"data", size)


if __name__ == "__main__":
    main()
