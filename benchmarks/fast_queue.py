"""SQS stub with a full queue that answers at once, and is too fast to limit a measurement.

    python -m benchmarks.fast_queue MESSAGES

prints its port, delivers every message once, accepts every receipt, and answers until it is ended.
"""

import asyncio
import functools
import hashlib
import json
import sys
import time
from contextlib import AbstractContextManager

from benchmarks.events import event_of
from benchmarks.fast_http import response, running, serve
from domain.model.events.event import DEFAULT_EVENT_SOURCE, BatchProcessingCompleted

EVENT_BYTES = 1_000


def fast_queue(messages: int) -> AbstractContextManager[str]:
    """Run the queue in a separate process; yield its URL."""
    return running("benchmarks.fast_queue", messages)


def message(number: int) -> str:
    """Return a message in SQS's format, with an event of a kilobyte in EventBridge's envelope."""
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
    """Return the body of a message from EventBridge."""
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


class _Queue:
    def __init__(self, waiting: list[str]) -> None:
        self._waiting = waiting

    def answer(self, head: bytes, body: bytes) -> tuple[bytes, float]:
        return self._answer(head, body), 0.0

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if b"AmazonSQS.ReceiveMessage" in head:
            return self._hand_out(json.loads(body).get("MaxNumberOfMessages", 1))
        if b"AmazonSQS.GetQueueUrl" in head:
            return response('{"QueueUrl": "http://127.0.0.1/123456789012/fast"}')
        if b"AmazonSQS.GetQueueAttributes" in head:
            counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
            return response(json.dumps({"Attributes": dict.fromkeys(counts, "0")}))
        return _all_well(body.count(b'"ReceiptHandle"'))

    def _hand_out(self, limit: int) -> bytes:
        taken = self._waiting[-limit:]
        del self._waiting[-limit:]
        return response('{"Messages":[' + ",".join(taken) + "]}" if taken else "{}")


@functools.cache
def _all_well(count: int) -> bytes:
    """Return the answer to a batch of receipts: deletions, or changes of the visibility timeout."""
    return response(
        json.dumps({"Successful": [{"Id": str(number)} for number in range(count)], "Failed": []})
    )


async def main(messages: int) -> None:
    """Serve until the process is ended."""
    await serve(_Queue([message(number) for number in range(messages)]).answer)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
