"""Response time of `/health/live` while a hundred listeners follow jobs, and every core transcribes them."""

import contextlib
import selectors
import socket
import tempfile
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np
import urllib3

from benchmarks.harness import percentile
from benchmarks.report import Report, Table, Target
from benchmarks.responsiveness import ENOUGH_FOR_A_P99, ask, row
from benchmarks.servers import Service, service
from tests.support.harness.service import wait_until
from tests.support.samples.recordings import SAMPLE_RATE, record, speech

LISTENERS, JOBS = 100, 2
AUDIO_SECONDS = 300
TENANT = {"X-Tenant-ID": str(uuid4())}
MILLISECONDS = 100


class Listeners:
    """Listeners to server-sent events; one thread reads the streams of all of them."""

    def __init__(self, running: Service, paths: Sequence[str]) -> None:
        self._selector = selectors.DefaultSelector()
        self._stop = Event()
        self._thread = Thread(target=self._read)
        self.bytes: dict[int, int] = {}  # that each has received
        address = urlsplit(running.url)
        for number in range(LISTENERS):
            connection = socket.create_connection((address.hostname, address.port), timeout=60)
            headers = "".join(f"{name}: {value}\r\n" for name, value in TENANT.items())
            path = paths[number % len(paths)]
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: benchmark\r\n{headers}\r\n".encode())
            self._selector.register(connection, selectors.EVENT_READ)
            self.bytes[connection.fileno()] = 0

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Read while the context lasts."""
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()
            for key in list(self._selector.get_map().values()):
                self._selector.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]  # a socket

    def _read(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.1):
                block = key.fileobj.recv(65536)  # type: ignore[union-attr]  # a socket
                self.bytes[key.fd] += len(block)
                if not block:  # its job has ended
                    self._selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]  # same


def measure() -> Report:
    """Call `/health/live` without and with listeners, until the first job has ended."""
    with tempfile.TemporaryDirectory() as folder:
        samples = np.resize(speech(), AUDIO_SECONDS * SAMPLE_RATE)
        recording = record(Path(folder) / "speech.wav", samples).read_bytes()
        environ = {"EVENT_TRANSPORT": "noop", "DATA_DIR": folder, "TRANSCRIBER_WORKERS": str(JOBS)}
        with service(environ) as running:
            idle = ask(running, lambda count: count < ENOUGH_FOR_A_P99)
            busy, received = _asked_with_listeners(running, recording)
    rows = (row("idle", idle), row(f"{LISTENERS} listeners, {JOBS} jobs at work", busy))
    return Report(
        tables=(Table(("`/health/live`, ms", "p50", "p99", "longest"), rows),),
        targets=(
            Target(
                f"health p99, of {MILLISECONDS} ms", 1000 * percentile(busy, 99) / MILLISECONDS, at_most=1.0
            ),
            Target("listeners that received events", received / LISTENERS, at_least=1.0),
        ),
    )


def _asked_with_listeners(running: Service, recording: bytes) -> tuple[list[float], int]:
    client = urllib3.PoolManager()
    jobs = [_submit(client, running, recording) for _ in range(JOBS)]
    wait_until(lambda: {_state(client, running, job) for job in jobs} == {"processing"})
    listeners = Listeners(running, [f"{job}/events" for job in jobs])
    ended = Event()

    def watch() -> None:
        """Wait for the end of the first job by one long poll after the other."""
        while _state(client, running, f"{jobs[0]}?wait=30") == "processing":
            pass
        ended.set()

    watcher = Thread(target=watch)
    with listeners.listening():
        watcher.start()
        seconds = ask(running, lambda _: not ended.is_set())
        watcher.join()
    assert len(seconds) > ENOUGH_FOR_A_P99, "the jobs ended too soon"  # noqa: S101 - such a run has no figures
    return seconds, sum(count > 0 for count in listeners.bytes.values())


def _submit(client: urllib3.PoolManager, running: Service, recording: bytes) -> str:
    fields = {"file": ("speech.wav", recording)}
    answer = client.request("POST", f"{running.url}/batch/jobs", fields=fields, headers=TENANT)
    assert answer.status == HTTPStatus.ACCEPTED, answer.data  # noqa: S101 - as above
    return answer.headers["Location"]


def _state(client: urllib3.PoolManager, running: Service, path: str) -> str:
    state: str = client.request("GET", f"{running.url}{path}", headers=TENANT, timeout=90).json()["state"]
    return state
