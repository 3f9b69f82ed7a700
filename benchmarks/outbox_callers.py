"""How long callers wait over HTTP while the bus is well, and while it is down."""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import urllib3

from benchmarks.fast_bus import fast_bus
from benchmarks.percentiles import percentile, percentiles
from benchmarks.servers import service
from tests.integration.localstack import free_port
from tests.recordings import record, tone

LATENCY_SECONDS = 0.02
WARM_UP = 10
"""Enough to open the breaker."""


def measure(credentials: Mapping[str, str], count: int) -> None:
    """Ask three services in turn, one request at a time: on a bus without latency, with some, and on none."""
    print(f"a caller's request (canned engine), {count} of each, in turn")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        recording = record(folder / "a.wav", tone(0.5)).read_bytes()
        buses = {
            "bus well, 0 ms": stack.enter_context(fast_bus(0)),
            f"bus well, {LATENCY_SECONDS * 1000:.0f} ms": stack.enter_context(fast_bus(LATENCY_SECONDS)),
            "bus down": f"http://127.0.0.1:{free_port()}",
        }
        urls = {
            name: stack.enter_context(
                service(_environ(folder, number, credentials, bus), log=subprocess.DEVNULL)
            ).url
            for number, (name, bus) in enumerate(buses.items())
        }
        seconds = {name: list[float]() for name in urls}
        for _ in range(WARM_UP + count):
            for name, url in urls.items():
                status = "queued" if name == "bus down" else "published"
                seconds[name].append(_upload(url, recording, status))
    _report({name: times[WARM_UP:] for name, times in seconds.items()})


def _environ(folder: Path, number: int, credentials: Mapping[str, str], bus: str) -> dict[str, str]:
    return {
        **credentials,
        "AWS_ENDPOINT_URL": bus,
        "DATABASE_URL": f"sqlite:///{folder}/{number}.db",
        "EVENT_TRANSPORT": "eventbridge",
        "TRANSCRIBER": "canned",
        "TRANSCRIBER_WORKERS": "1",
        "LOG_LEVEL": "ERROR",
    }


def _upload(url: str, recording: bytes, status: str) -> float:
    begun = time.perf_counter()
    answer = urllib3.request("POST", f"{url}/batch/process", fields={"file": ("a.wav", recording)})
    seconds = time.perf_counter() - begun
    assert answer.json()["event"]["status"] == status, answer.data  # noqa: S101 - failures are worth nothing
    return seconds


def _report(seconds: Mapping[str, list[float]]) -> None:
    down = seconds["bus down"]
    for name, times in seconds.items():
        ratios = ", ".join(f"p{at} {percentile(down, at) / percentile(times, at):.2f}" for at in (50, 99))
        print(f"  {name:20} {percentiles(times)}   down is {ratios} of it")
