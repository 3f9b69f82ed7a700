"""Programs of brokers: found on the PATH, started in a folder, ended by their process ids."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

STOP_SECONDS = 20
SYSTEM_PROGRAMS = "/usr/sbin"
"""Folder of some servers, which is not on every user's PATH."""


def program(name: str, remedy: str) -> str:
    """Return the path of a program; skip the test where there is none, and fail it in CI."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_PROGRAMS}")
    if found is None:
        message = f"{name} is not on the PATH: {remedy}"
        if os.environ.get("CI"):
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    return found


def spawn(
    command: list[str], folder: Path, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a server that leads a group of its own, and logs into its folder."""
    with (folder / "output.log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )


def end(process: "subprocess.Popen[bytes]", number: signal.Signals = signal.SIGTERM) -> None:
    """End a server and its children, which are in its group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(port: int) -> bool:
    """Tell if a server listens on a port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            return True
    except OSError:
        return False
