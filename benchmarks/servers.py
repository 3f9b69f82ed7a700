"""Servers in separate processes, measured from outside: the real service and bare ones."""

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

from tests.support.harness.ports import free_port

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-benchmark",
    "AWS_DEFAULT_REGION": "us-east-1",
}
"""Invented credentials: the stubs accept all."""


@dataclass(frozen=True, slots=True)
class Service:
    """Running server that is ready."""

    url: str
    pid: int

    def peak_memory_bytes(self) -> int:
        """Return the largest resident size of the server's process so far, without its workers."""
        return _status_bytes(self.pid, "VmHWM")


@contextlib.contextmanager
def service(environ: Mapping[str, str]) -> Iterator[Service]:
    """Run `transcripts serve` with these variables, ready for recordings; delete its data afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        own = {"SPOOL_DIR": f"{folder}/spool", "DATABASE_URL": f"sqlite:///{folder}/transcripts.db"}
        port = free_port()
        program = (str(Path(sys.executable).with_name("transcripts")), "serve", "--port", str(port))
        with server(program, port, {"LOG_LEVEL": "ERROR", **own, **environ}) as running:
            yield running


@contextlib.contextmanager
def server(program: tuple[str, ...], port: int, environ: Mapping[str, str]) -> Iterator[Service]:
    """Run a program that serves on the port; yield once its `/health/ready` answers 200."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(program, env={**os.environ, **environ}, stdout=quiet, stderr=quiet)
    try:
        running = Service(f"http://127.0.0.1:{port}", process.pid)
        _wait_until_ready(process, running)
        yield running
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], running: Service) -> None:
    while process.poll() is None:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", f"{running.url}/health/ready", retries=False).status == 200:  # noqa: PLR2004 - HTTP's OK
                return
        time.sleep(0.05)
    raise RuntimeError(
        f"{process.args!r} ended with {process.returncode}; LOG_LEVEL and its stderr would tell"
    )


def _status_bytes(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)
