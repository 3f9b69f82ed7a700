"""Start-up times: `--help`, the imports, `serve` until it is ready."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import urllib3

from benchmarks.harness import Contestant, in_turn, ratios
from benchmarks.report import Report, Table, Target
from tests.support.harness.ports import free_port

ROUNDS = 7
SLOWEST_IMPORTS = 10
HELP_OF_A_COMMAND = "`transcripts consume --help`"
"""Command whose options need the most imports."""
TRANSCRIPTS = str(Path(sys.executable).with_name("transcripts"))
BARE_APP = """
import boto3, fastapi, uvicorn
app = fastapi.FastAPI()
boto3.client("events")
app.get("/health/ready")(lambda: {})
uvicorn.run(app, port=%d, log_level="error")
"""
BARE_APP_WITH_ENGINE = (
    """
from benchmarks.local_speech import LocalSpeech
LocalSpeech()
"""
    + BARE_APP
)
"""Bare app that is ready, as ours, once it can transcribe; it loads the engine in its own process."""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_DEFAULT_REGION": "us-east-1"}


def measure() -> Report:
    """Start each contestant several times, in turn."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installation has its bytecode
    with tempfile.TemporaryDirectory() as folder:
        environ = {"SPOOL_DIR": f"{folder}/spool", "DATABASE_URL": f"sqlite:///{folder}/transcripts.db"}
        contestants = _contestants(environ)
        in_turn(contestants, rounds=1)  # compiles, creates the database, and reads all files into memory
        figures = in_turn(contestants, ROUNDS)
    by_name = {each.name: each for each in figures}
    ours = by_name["`transcripts serve`, until it is ready"]
    served = ratios(ours, by_name["a bare app, until it is ready"])
    able = ratios(ours, by_name["a bare app that loads the same engine, until it is ready"])
    rows = tuple((each.name, each.shown(3)) for each in figures)
    return Report(
        notes=(f"Seconds, median of {ROUNDS} starts (lowest to highest), in turn, after one to warm up.",),
        tables=(Table(("what", "seconds"), rows), _slowest_imports()),
        targets=(
            Target("`serve` until ready, of the bare app", served.median, at_most=1.5),
            Target("`serve` until ready, of the bare app with the same engine", able.median, at_most=1.5),
            Target("seconds for `transcripts --help`", by_name["`transcripts --help`"].median, at_most=0.5),
            Target(f"seconds for {HELP_OF_A_COMMAND}", by_name[HELP_OF_A_COMMAND].median, at_most=0.5),
        ),
    )


def _contestants(environ: Mapping[str, str]) -> dict[str, Contestant]:
    def run(*command: str) -> float:
        begun = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - begun

    def bare(app: str) -> float:
        port = free_port()
        return _until_ready(port, (sys.executable, "-c", app % port), {})

    def ours() -> float:
        port = free_port()
        return _until_ready(port, (TRANSCRIPTS, "serve", "--port", str(port)), environ)

    return {
        "`python -c pass`": lambda: run(sys.executable, "-c", "pass"),
        "`transcripts --help`": lambda: run(TRANSCRIPTS, "--help"),
        HELP_OF_A_COMMAND: lambda: run(TRANSCRIPTS, "consume", "--help"),
        "import fastapi, uvicorn, boto3": lambda: run(sys.executable, "-c", "import fastapi, uvicorn, boto3"),
        "import entrypoints.api.server.server": lambda: run(
            sys.executable, "-c", "import entrypoints.api.server.server"
        ),
        "a bare app, until it is ready": lambda: bare(BARE_APP),
        "a bare app that loads the same engine, until it is ready": lambda: bare(BARE_APP_WITH_ENGINE),
        "`transcripts serve`, until it is ready": ours,
    }


def _until_ready(port: int, command: tuple[str, ...], environ: Mapping[str, str]) -> float:
    """Return the seconds until it answers 200; ours does so with an open outbox and a loaded engine."""
    variables = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", **environ}
    begun = time.perf_counter()
    with _running(command, variables):
        while not _answers(port):
            time.sleep(0.005)
        return time.perf_counter() - begun


@contextlib.contextmanager
def _running(command: tuple[str, ...], environ: Mapping[str, str]) -> Iterator[None]:
    with subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with contextlib.suppress(urllib3.exceptions.HTTPError):
        url = f"http://127.0.0.1:{port}/health/ready"
        return urllib3.request("GET", url, retries=False).status == 200  # noqa: PLR2004 - HTTP's OK
    return False


def _slowest_imports() -> Table:
    """Return the import time of each package of the application, from `-X importtime`."""
    command = (sys.executable, "-X", "importtime", "-c", "import entrypoints.api.server.server")
    lines = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True).stderr
    own: dict[str, float] = {}
    for microseconds, name in re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", lines, re.MULTILINE):
        package = name.split(".")[0]
        own[package] = own.get(package, 0) + int(microseconds) / 1000
    slowest = sorted(own.items(), key=lambda item: -item[1])[:SLOWEST_IMPORTS]
    return Table(("package", "own milliseconds"), tuple((name, f"{took:.0f}") for name, took in slowest))
