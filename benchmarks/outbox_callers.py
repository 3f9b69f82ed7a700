"""Waiting times of HTTP callers while the bus is available, and while it is down."""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import urllib3

from benchmarks.fast_bus import fast_bus
from benchmarks.harness import percentile
from benchmarks.report import Report, Table, Target
from benchmarks.servers import CREDENTIALS, service
from tests.support.harness.ports import free_port
from tests.support.samples.recordings import record, tone

LATENCY_SECONDS = 0.02
WARM_UP = 10
"""Number of failures that opens the circuit breaker."""
REQUESTS = 200
PROMPT, SLOW, DOWN = "bus well, 0 ms", f"bus well, {LATENCY_SECONDS * 1000:.0f} ms", "bus down, breaker open"


def measure() -> Report:
    """Call three services in turn, one request at a time: bus without latency, with latency, and down."""
    with tempfile.TemporaryDirectory() as name, _services() as urls:
        recording = record(Path(name) / "a.wav", tone(0.5)).read_bytes()
        seconds = {which: list[float]() for which in urls}
        for _ in range(WARM_UP + REQUESTS):
            for which, url in urls.items():
                status = "queued" if which == DOWN else "published"
                seconds[which].append(_upload(url, recording, status))
    waits = {which: [percentile(times[WARM_UP:], at) for at in (50, 99)] for which, times in seconds.items()}
    rows = tuple((which, *(f"{1000 * wait:.1f}" for wait in both)) for which, both in waits.items())
    return Report(
        notes=(f"One caller, `canned` engine, {REQUESTS} requests of each, in turn.",),
        tables=(Table(("a caller waits, ms", "p50", "p99"), rows),),
        targets=(
            Target(
                "p50 while the bus is down, of the one while it is well",
                waits[DOWN][0] / waits[SLOW][0],
                at_most=1.0,
            ),
        ),
    )


@contextlib.contextmanager
def _services() -> Iterator[dict[str, str]]:
    with contextlib.ExitStack() as stack:
        buses = {
            PROMPT: stack.enter_context(fast_bus(0)),
            SLOW: stack.enter_context(fast_bus(LATENCY_SECONDS)),
            DOWN: f"http://127.0.0.1:{free_port()}",
        }
        canned = {**CREDENTIALS, "TRANSCRIBER": "canned", "TRANSCRIBER_WORKERS": "1"}
        yield {
            which: stack.enter_context(service({**canned, "AWS_ENDPOINT_URL": bus})).url
            for which, bus in buses.items()
        }


def _upload(url: str, recording: bytes, status: str) -> float:
    begun = time.perf_counter()
    answer = urllib3.request("POST", f"{url}/batch/process", fields={"file": ("a.wav", recording)})
    seconds = time.perf_counter() - begun
    assert answer.json()["event"]["status"] == status, answer.data  # noqa: S101 - a failed run has no figures
    return seconds
