"""Installed command, run as a user runs it."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import urllib3

from tests.integration.localstack import SHARED_FOLDER
from tests.support.databases.migrated import copy_migrated
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until

PROGRAM = Path(sys.executable).with_name("transcripts")


def transcripts(*arguments: str | Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run `transcripts` to its end; of AWS, the environment has only the given variables."""
    return subprocess.run(
        [PROGRAM, *arguments],
        env=clean_environment(**environ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def clean_environment(**environ: str) -> dict[str, str]:
    """Return the variables of this process that the command needs, and the given ones."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "MOCK_", "DATABASE_"))
    }
    without_aws = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    database = Path(os.environ[SHARED_FOLDER]) / f"{uuid4().hex}.db"
    copy_migrated(database)
    return {**kept, **without_aws, "DATABASE_URL": f"sqlite:///{database}", **environ}


@contextlib.contextmanager
def running(
    *arguments: str, environ: Mapping[str, str], cwd: Path | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Run `transcripts`, with its output in pipes; it is killed at the end of the context."""
    with subprocess.Popen(
        [PROGRAM, *arguments],
        env=clean_environment(**environ),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def serving(tmp_path: Path, *options: str, **environ: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run `transcripts serve` until it is ready, on a free port unless PORT is set; yield URL and process."""
    port = environ.get("PORT") or free_port()
    variables = {
        "EVENT_TRANSPORT": "memory",
        "SPOOL_DIR": str(tmp_path / "spool"),
        "DATABASE_URL": f"sqlite:///{tmp_path}/transcripts.db",
        "TRANSCRIBER_WORKERS": "1",
    }
    command = [str(PROGRAM), "serve", "--port", str(port), *options]
    environment = clean_environment(**{**variables, **environ})
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: _is_ready(url))
            yield url, process
        finally:
            process.kill()


def _is_ready(url: str) -> bool:
    try:
        return urllib3.request("GET", f"{url}/health/ready", retries=False, timeout=10).status == 200
    except urllib3.exceptions.HTTPError:
        return False
