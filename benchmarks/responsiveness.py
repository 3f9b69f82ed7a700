"""Response time of `/health/live` while every core transcribes."""

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import urllib3

from benchmarks.harness import percentile
from benchmarks.report import Report, Table
from benchmarks.servers import Service, service
from tests.support.samples.recordings import SAMPLE_RATE, record, speech

AUDIO_SECONDS = 25
ENOUGH_FOR_A_P99 = 300


def measure() -> Report:
    """Keep two workers busy, and call `/health/live` meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        samples = np.resize(speech(), AUDIO_SECONDS * SAMPLE_RATE)
        recording = record(Path(folder) / "speech.wav", samples).read_bytes()
        with service({"EVENT_TRANSPORT": "memory", "TRANSCRIBER_WORKERS": "2"}) as running:
            idle = ask(running, lambda count: count < ENOUGH_FOR_A_P99)
            rows = (row("idle", idle), row("two recordings at work", _asked_while_busy(running, recording)))
    return Report(tables=(Table(("`/health/live`, ms", "p50", "p99", "longest"), rows),))


def _asked_while_busy(running: Service, recording: bytes) -> list[float]:
    fields = {"file": ("speech.wav", recording)}
    statuses: list[int] = []

    def upload() -> None:
        answer = urllib3.request("POST", f"{running.url}/batch/process", fields=fields, timeout=600)
        statuses.append(answer.status)

    callers = [threading.Thread(target=upload) for _ in range(2)]
    for caller in callers:
        caller.start()
    seconds = ask(running, lambda _: all(caller.is_alive() for caller in callers))
    for caller in callers:
        caller.join()
    assert statuses == [200, 200], statuses  # noqa: S101 - a failed run has no figures
    return seconds


def ask(running: Service, goes_on: Callable[[int], bool]) -> list[float]:
    """Call `/health/live` again and again, and return the seconds of each answer.

    `goes_on` is told how many there are.
    """
    client, seconds = urllib3.PoolManager(), list[float]()
    while goes_on(len(seconds)):
        began = time.perf_counter()
        client.request("GET", f"{running.url}/health/live")
        seconds.append(time.perf_counter() - began)
        time.sleep(0.01)
    return seconds


def row(name: str, seconds: list[float]) -> tuple[str, ...]:
    """Format a row of milliseconds."""
    figures = (percentile(seconds, 50), percentile(seconds, 99), max(seconds))
    return (name, *(f"{value * 1000:.1f}" for value in figures))
