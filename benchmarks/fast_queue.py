"""An SQS with a full queue that answers at once, in a process of its own: never what is measured.

    python -m benchmarks.fast_queue MESSAGES

prints its port, hands every message out once, believes every receipt, and answers until it is ended.
"""

import asyncio
import contextlib
import functools
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.events import event_of
from benchmarks.fast_bus import END_OF_HEAD, LENGTH, ROOT
from domain.model.events import DEFAULT_EVENT_SOURCE, BatchProcessingCompleted

EVENT_BYTES = 1_000


@contextlib.contextmanager
def fast_queue(messages: int) -> Iterator[str]:
    """The queue in its process; yields its URL."""
    command = (sys.executable, "-m", "benchmarks.fast_queue", str(messages))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def message(number: int) -> str:
    """One message as SQS hands it out, with an event of a kilobyte in EventBridge's envelope."""
    body = envelope(event_of(EVENT_BYTES))
    sent = {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(time.time() * 1000))}
    return json.dumps(
        {
            "MessageId": f"11710aed-b79e-4468-a20b-{number:012}",
            "ReceiptHandle": f"{number}-" + "x" * 180,
            "MD5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
            "Body": body,
            "Attributes": sent,
        }
    )


def envelope(event: BatchProcessingCompleted) -> str:
    """What EventBridge puts into the queue."""
    around = {
        "version": "0",
        "id": str(event.interaction_id),
        "detail-type": event.DETAIL_TYPE,
        "source": DEFAULT_EVENT_SOURCE,
        "account": "123456789012",
        "time": "2026-11-24T09:45:32Z",
        "region": "us-east-1",
        "resources": [],
        "detail": json.loads(event.to_json()),
    }
    return json.dumps(around, separators=(",", ":"))


class _Connection(asyncio.Protocol):
    def __init__(self, waiting: list[str]) -> None:
        self._waiting = waiting
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
        assert isinstance(self._transport, asyncio.WriteTransport)  # noqa: S101 - of a stream it is
        self._transport.write(self._answer(head, rest[: int(length[1])]))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if b"AmazonSQS.ReceiveMessage" in head:
            return self._hand_out(json.loads(body).get("MaxNumberOfMessages", 1))
        if b"AmazonSQS.GetQueueUrl" in head:
            return _http({"QueueUrl": "http://127.0.0.1/123456789012/fast"})
        if b"AmazonSQS.GetQueueAttributes" in head:
            counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
            return _http({"Attributes": dict.fromkeys(counts, "0")})
        return _all_well(body.count(b'"ReceiptHandle"'))

    def _hand_out(self, limit: int) -> bytes:
        taken = self._waiting[-limit:]
        del self._waiting[-limit:]
        return _raw('{"Messages":[' + ",".join(taken) + "]}" if taken else "{}")


def _http(document: object) -> bytes:
    return _raw(json.dumps(document))


def _raw(document: str) -> bytes:
    body = document.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}"
    return head.encode() + END_OF_HEAD + body


@functools.cache
def _all_well(count: int) -> bytes:
    """The answer to a batch with so many receipts: of deletions, or of longer invisibility."""
    return _http({"Successful": [{"Id": str(number)} for number in range(count)], "Failed": []})


async def main(messages: int) -> None:
    """Serve for ever."""
    waiting = [message(number) for number in range(messages)]
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(waiting), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
