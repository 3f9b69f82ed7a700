"""`transcripts serve` as a process that can be killed, and started again at the same address."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import urllib3

from tests.support.harness.installed_command import PROGRAM, clean_environment
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until

ROOT = Path(__file__).parents[3]
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests"}


class Server:
    """Server that leads its own process group, and logs to a file.

    Args:
        folder: its own; what it shares with others is named in `environ`.
        program: what runs `transcripts`.
    """

    def __init__(self, folder: Path, *, program: Sequence[str] = (str(PROGRAM),), **environ: str) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._program = program
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.environ = {
            "EVENT_TRANSPORT": "eventbridge",
            "SPOOL_DIR": str(folder / "spool"),
            "TRANSCRIBER": "canned",
            "TRANSCRIBER_WORKERS": "1",
            "TRANSCRIBER_WAITING_ROOM": "1000",
            "PUBLISH_TIMEOUT_SECONDS": "3",  # as long as possible: the machine may be busy
            **CREDENTIALS,
            **environ,
        }

    def start(self) -> None:
        """Start the process; call `wait_until_ready` next."""
        with (self._folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                [*self._program, "serve", "--port", str(self.port)],
                cwd=ROOT,
                env=clean_environment(**self.environ),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        """All that the server has written."""
        return (self._folder / "log").read_text(errors="replace")

    def wait_until_ready(self) -> None:
        wait_until(self._is_ready)

    @property
    def pid(self) -> int:
        """Process, and process group, of the server."""
        return self._running().pid

    def kill(self) -> None:
        """Kill the whole process group, as a power failure would."""
        process = self._running()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def wait_until_killed(self) -> None:
        """Wait until the process has killed itself."""
        wait_until(lambda: self._running().poll() is not None)
        assert self._running().returncode == -signal.SIGKILL

    def close(self) -> None:
        """End the process if it still runs."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.kill()

    def health(self) -> dict[str, Any]:
        """Return the answer of `/health/ready`."""
        health: dict[str, Any] = urllib3.request("GET", f"{self.url}/health/ready", timeout=300).json()
        return health

    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "it was never started"
        return self._process

    def _is_ready(self) -> bool:
        assert self._running().poll() is None, "the server ended"
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            return urllib3.request("GET", f"{self.url}/health/ready", retries=False, timeout=10).status == 200
        return False
