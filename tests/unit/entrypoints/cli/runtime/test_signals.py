"""Signals during the start of a command."""

import signal
import subprocess
import sys

import pytest

from tests.support.harness.installed_command import clean_environment

pytestmark = pytest.mark.process

SIGNALLED_DURING_START = """
import os, sys
from entrypoints.cli import main
from entrypoints.cli.commands import {module}

def told(**_):
    os.kill(os.getpid(), int(sys.argv[1]))

{module}.configure = told
main.main(sys.argv[2:])
"""
"""Program that runs a command and sends it a signal at its first step."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("arguments", [("serve",), ("relay",), ("consume", "--exec", "true")])
def test_a_signal_during_the_start_ends_a_command_at_once(
    arguments: tuple[str, ...], number: signal.Signals
) -> None:
    program = SIGNALLED_DURING_START.format(module=arguments[0])

    result = subprocess.run(
        [sys.executable, "-c", program, str(number.value), *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert (result.returncode, result.stderr) == (0, "Stopped before it was ready.\n")
