"""Collector of traces that accepts all spans at once, and is too fast to limit a measurement.

    python -m benchmarks.fast_collector -

prints its port, and answers until it is ended.
"""

import asyncio
from contextlib import AbstractContextManager

from benchmarks.fast_http import response, running, serve

ACCEPTED = response("{}")


def fast_collector() -> AbstractContextManager[str]:
    """Run the collector in a separate process; yield its URL."""
    return running("benchmarks.fast_collector", "-")


if __name__ == "__main__":
    asyncio.run(serve(lambda _head, _body: (ACCEPTED, 0.0)))
