"""Options that the chaos runs share, and their set-up."""

import argparse
import os
import shutil
import sys
import time

from chaos.points import CAP
from tests.support.faults.servers import CREDENTIALS
from tests.support.faults.webhook import BUSES
from tests.support.harness.loopback import spare_loopback_from_proxies


def options(description: str | None, *, rounds: int, rounds_help: str) -> argparse.Namespace:
    """Parse `--rounds`, `--points`, `--transport` and `--seed`, and prepare this process to start servers.

    Exits if strace is not installed.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=rounds, help=rounds_help)
    parser.add_argument("--points", type=int, default=CAP, help="maximum system calls of each kind")
    parser.add_argument("--transport", choices=BUSES, default="eventbridge", help="where events go to")
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="seed of the random moments")
    parsed = parser.parse_args()
    if shutil.which("strace") is None:
        parser.error("strace is not installed")
    os.environ.update(CREDENTIALS)
    spare_loopback_from_proxies()
    return parsed


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
