"""LocalStack for the whole test run: an existing one, or one started here, without Docker.

The first test process that needs it starts it, the others find it through a folder that they share, and the
process that coordinates the run ends it (`tests/conftest.py`).
"""

import fcntl
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from localstack_client.config import get_service_endpoint

from tests.support.harness.ports import free_port

PYTHON = Path(__file__).parents[2] / ".venv-localstack/bin/python"
"""Environment that the Makefile builds from tests/integration/localstack.requirements.txt."""

SHARED_FOLDER = "TEST_RUN_FOLDER"
"""Variable with the folder that the processes of one test run share."""

START_SECONDS = 90
STOP_SECONDS = 10
CLIENT_VARIABLES = ("AWS_ENDPOINT_URL", "LOCALSTACK_HOST")
"""Variables of localstack-client with the address of a LocalStack."""


class LocalStackMissingError(Exception):
    """Error: no LocalStack is available; the message says what to do."""


class Running(NamedTuple):
    """LocalStack started here, the leader of its own process group."""

    url: str
    pid: int


def skip_requested(environ: Mapping[str, str]) -> bool:
    """Return true if the developer chose to skip LocalStack.

    Raises:
        LocalStackMissingError: the request is made where every test must run.
    """
    if environ.get("SKIP_LOCALSTACK") != "1":
        return False
    if environ.get("CI") == "true":
        raise LocalStackMissingError("SKIP_LOCALSTACK=1 is not accepted with CI=true: run `make test`.")
    return True


def already_running() -> str | None:
    """Return the URL of the LocalStack that localstack-client's variables name, if it answers."""
    if not any(os.environ.get(variable) for variable in CLIENT_VARIABLES):
        return None
    url = get_service_endpoint("events")
    return url.rstrip("/") if url and is_healthy(url.rstrip("/")) else None


def shared(folder: Path, python: Path = PYTHON) -> Running:
    """Return the LocalStack of this run; the first process that asks starts it."""
    with _locked(folder):
        state = folder / "running.json"
        if state.exists():
            return Running(**json.loads(state.read_text()))
        running = start(folder, python)
        state.write_text(json.dumps(running._asdict()))
        return running


def stop_shared(folder: Path) -> None:
    """End the LocalStack of this run, if one was started."""
    state = folder / "running.json"
    if state.exists():
        stop(Running(**json.loads(state.read_text())))


def start(folder: Path, python: Path = PYTHON) -> Running:
    """Start LocalStack on a free port, with its files and its log below `folder`, and wait until it is ready.

    Raises:
        LocalStackMissingError: it is not installed, or did not become ready; the message ends with its log.
    """
    if not python.exists():
        raise LocalStackMissingError(f"{python} does not exist: run `make test`, which installs LocalStack.")
    port, log = free_port(), folder / "localstack.log"
    running = Running(f"http://127.0.0.1:{port}", _spawn(python, log, _environment(folder, port)))
    try:
        _wait_until_ready(running)
    except LocalStackMissingError as error:
        stop(running)
        raise LocalStackMissingError(f"{error} Try `make test`. Its log ends:\n{_tail(log)}") from None
    return running


def stop(running: Running) -> None:
    """End a LocalStack and all its processes: by SIGTERM, and by SIGKILL after a grace period."""
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _alive(running.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGKILL)


def is_healthy(url: str) -> bool:
    """Return true if a LocalStack answers at `url`."""
    try:
        with urllib.request.urlopen(f"{url}/_localstack/health", timeout=5) as answer:  # noqa: S310 - a URL of ours
            return "services" in json.load(answer)
    except (OSError, ValueError):
        return False


def _environment(folder: Path, port: int) -> dict[str, str]:
    """Return an environment without AWS variables and without the configuration of another LocalStack."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "FILESYSTEM_ROOT": str(folder / "files"),
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",
        "SQS_ENDPOINT_STRATEGY": "path",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
    }


def _spawn(python: Path, log: Path, environment: dict[str, str]) -> int:
    """Process that outlives the object that started it, unlike a `Popen`."""
    return os.posix_spawn(
        python,
        [str(python), "-m", "localstack.runtime.main"],
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_CREAT | os.O_WRONLY, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _wait_until_ready(running: Running) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_healthy(running.url):
        if not _alive(running.pid):
            raise LocalStackMissingError("LocalStack ended by itself.")
        if time.monotonic() > deadline:
            raise LocalStackMissingError(f"LocalStack was not ready within {START_SECONDS} s.")
        time.sleep(0.1)


def _alive(pid: int) -> bool:
    """Return true while the leader runs; reap it if it is a child of this process."""
    with suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _tail(log: Path, lines: int = 40) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
