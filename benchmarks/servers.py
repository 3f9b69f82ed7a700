"""The real service in a process of its own, for benchmarks to measure from outside."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import urllib3

from tests.integration.localstack import free_port


@dataclass(frozen=True, slots=True)
class Service:
    """A running `transcripts serve`."""

    url: str
    pid: int

    def peak_memory_bytes(self) -> int:
        """The largest resident size of the server's process so far, its workers not included."""
        return _status_bytes(self.pid, "VmHWM")


@contextlib.contextmanager
def service(environ: Mapping[str, str], *, log: int | None = None) -> Iterator[Service]:
    """Start the service with these variables, its log to `log`, and wait until it is ready for recordings."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        program = (str(Path(sys.executable).with_name("transcripts")), "serve", "--port", str(port))
        spool, database = str(Path(folder) / "spool"), f"sqlite:///{folder}/transcripts.db"
        process = subprocess.Popen(
            program,
            env={**os.environ, "LOG_LEVEL": "ERROR", "SPOOL_DIR": spool, "DATABASE_URL": database, **environ},
            stderr=log,
        )
        try:
            running = Service(f"http://127.0.0.1:{port}", process.pid)
            _wait_until_ready(running)
            yield running
        finally:
            process.terminate()
            process.wait()


def _wait_until_ready(running: Service) -> None:
    while True:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", f"{running.url}/health/ready", retries=False).status == 200:  # noqa: PLR2004 - HTTP's yes
                return
        time.sleep(0.05)


def _status_bytes(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)
