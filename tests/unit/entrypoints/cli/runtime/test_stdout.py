"""Failed writes to stdout; the device `/dev/full` acts as a full disk."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.harness.installed_command import PROGRAM, clean_environment

pytestmark = [pytest.mark.slow, pytest.mark.process]

POLICY = "iam-policy publisher --account 123456789012"
COMMANDS = ["--help", "--version", "outbox --help", "schema", "schema 1.0", "doctor", "doctor --json", POLICY,
            "provision --format terraform"]  # fmt: skip


def run(command: str, stdout: int, **environ: str) -> "subprocess.CompletedProcess[str]":
    environment = clean_environment(**environ)
    return subprocess.run(
        [PROGRAM, *command.split()],
        env=environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_reported_in_one_line(command: str) -> None:
    with Path("/dev/full").open("w", encoding="ascii") as full:
        result = run(command, full.fileno())

    assert result.stderr == "Error: The output cannot be written: No space left on device\n"
    assert result.returncode == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["schema", "--version"])
def test_a_reader_who_left_ends_a_command_without_a_word(command: str, unbuffered: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = run(command, writer, PYTHONUNBUFFERED=unbuffered)
    finally:
        os.close(writer)

    assert (result.returncode, result.stderr) == (1, "")


def test_a_closed_stdout_is_reported() -> None:
    result = subprocess.run(
        ["sh", "-c", f"exec '{PROGRAM}' schema 1.0 >&-"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.stderr == "Error: The output cannot be written: Bad file descriptor\n"
    assert result.returncode == 1


def test_a_command_that_writes_nothing_needs_no_stdout() -> None:
    result = subprocess.run(
        ["sh", "-c", f"exec '{PROGRAM}' relay >&-"],
        env=clean_environment(EVENT_TRANSPORT="noop"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert "EVENT_TRANSPORT=noop leaves nothing to relay" in result.stderr
    assert result.returncode == 2
