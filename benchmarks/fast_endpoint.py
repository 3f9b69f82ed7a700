"""Stub endpoint of a webhook, in a separate process, too fast to limit a measurement."""

import asyncio
import contextlib
from collections.abc import Iterator

from benchmarks.fast_http import response, running, serve

ACCEPTED = response("{}")


@contextlib.contextmanager
def fast_endpoint() -> Iterator[str]:
    """Run the endpoint; yield its URL."""
    with running(__name__, "") as url:
        yield url


if __name__ == "__main__":
    asyncio.run(serve(lambda _head, _body: (ACCEPTED, 0.0)))
