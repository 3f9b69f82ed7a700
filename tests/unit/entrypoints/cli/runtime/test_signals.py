"""A signal that comes while a command is still starting."""

import signal
import subprocess
import sys

import pytest

from tests.support.harness.installed_command import clean_environment

TOLD_WHILE_STARTING = """
import os, sys
from entrypoints.cli import main
from entrypoints.cli.commands import {module}

def told(**_):
    os.kill(os.getpid(), int(sys.argv[1]))

{module}.configure = told
main.main(sys.argv[2:])
"""
"""Runs a command; the signal comes at the first thing that it does."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("arguments", [("serve",), ("relay",), ("consume", "--exec", "true")])
def test_a_command_that_is_told_to_stop_while_it_starts_ends_at_once_and_says_so(
    arguments: tuple[str, ...], number: signal.Signals
) -> None:
    program = TOLD_WHILE_STARTING.format(module=arguments[0])

    result = subprocess.run(
        [sys.executable, "-c", program, str(number.value), *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (result.returncode, result.stderr) == (0, "Stopped before it was ready.\n")
