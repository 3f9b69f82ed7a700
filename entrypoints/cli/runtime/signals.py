"""SIGTERM and SIGINT while a command that runs until it is told to stop is still starting."""

import os
import signal
from typing import NoReturn

from entrypoints.cli.views.output import EXIT_OK

STOPPING = (signal.SIGTERM, signal.SIGINT)


def stop_at_once_when_told() -> None:
    """End at the first signal, until the command sets handlers of its own: nothing is in flight yet."""
    for each in STOPPING:
        signal.signal(each, _end_at_once)


def _end_at_once(_number: int, _frame: object) -> NoReturn:
    """A stop that was asked for is no failure. An exception could get lost in a callback of an import."""
    os.write(2, b"Stopped before it was ready.\n")
    os._exit(EXIT_OK)
