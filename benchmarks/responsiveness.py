"""How fast `/health/live` answers while every core transcribes."""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import urllib3

from benchmarks.servers import Service, service
from tests.recordings import SAMPLE_RATE, record, speech


def main() -> None:
    """Keep two workers busy, ask for the health all the while, and print how long that took."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=60.0, help="length of each recording")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        samples = np.resize(speech(), int(options.seconds * SAMPLE_RATE))
        recording = record(Path(folder) / "speech.wav", samples).read_bytes()
        with service({"EVENT_TRANSPORT": "memory", "TRANSCRIBER_WORKERS": "2"}) as running:
            _report("idle", _ask(running, lambda count: count < 200))  # noqa: PLR2004 - enough for a p99
            _report("two recordings at work", _ask_while_busy(running, recording))


def _ask_while_busy(running: Service, recording: bytes) -> list[float]:
    fields = {"file": ("speech.wav", recording)}
    statuses: list[int] = []

    def upload() -> None:
        answer = urllib3.request("POST", f"{running.url}/batch/process", fields=fields, timeout=600)
        statuses.append(answer.status)

    callers = [threading.Thread(target=upload) for _ in range(2)]
    for caller in callers:
        caller.start()
    seconds = _ask(running, lambda _: all(caller.is_alive() for caller in callers))
    for caller in callers:
        caller.join()
    assert statuses == [200, 200], statuses  # noqa: S101 - a benchmark of failures is worth nothing
    return seconds


def _ask(running: Service, goes_on: Callable[[int], bool]) -> list[float]:
    client, seconds = urllib3.PoolManager(), list[float]()
    while goes_on(len(seconds)):
        began = time.perf_counter()
        client.request("GET", f"{running.url}/health/live")
        seconds.append(time.perf_counter() - began)
        time.sleep(0.01)
    return seconds


def _report(name: str, seconds: list[float]) -> None:
    p99 = statistics.quantiles(seconds, n=100)[98]
    figures = {"p50": statistics.median(seconds), "p99": p99, "max": max(seconds)}
    columns = "  ".join(f"{label} {value * 1000:6.2f} ms" for label, value in figures.items())
    print(f"{name:25} {columns}  n={len(seconds)}")


if __name__ == "__main__":
    main()
