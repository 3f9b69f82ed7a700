"""EventBridge stub that accepts all events after a delay, and is too fast to limit a measurement.

    python -m benchmarks.fast_bus LATENCY_SECONDS

prints its port, and answers until it is ended.
"""

import asyncio
import functools
import json
import sys
from contextlib import AbstractContextManager

from benchmarks.fast_http import response, running, serve


def fast_bus(latency_seconds: float) -> AbstractContextManager[str]:
    """Run the bus in a separate process; yield its URL."""
    return running("benchmarks.fast_bus", latency_seconds)


REFUSED = response('{"__type": "UnknownOperationException"}', "400 Bad Request")


@functools.cache
def accepted(count: int) -> bytes:
    """Return the answer to a number of entries."""
    entries = [{"EventId": f"11710aed-b79e-4468-a20b-{number:012}"} for number in range(count)]
    return response(json.dumps({"FailedEntryCount": 0, "Entries": entries}))


async def main(latency_seconds: float) -> None:
    """Serve until the process is ended."""

    def answer(head: bytes, body: bytes) -> tuple[bytes, float]:
        if b"PutEvents" in head:
            return accepted(body.count(b'"DetailType"')), latency_seconds
        return REFUSED, 0.0

    await serve(answer)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
