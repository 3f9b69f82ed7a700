"""SIGTERM and SIGINT during the start of a long-running command."""

import os
import signal
from typing import NoReturn

from entrypoints.cli.views.output import EXIT_OK

STOPPING = (signal.SIGTERM, signal.SIGINT)


def exit_on_signal() -> None:
    """Exit at the first signal, until the command sets its own handlers: nothing is in flight yet."""
    for each in STOPPING:
        signal.signal(each, _exit)


def _exit(_number: int, _frame: object) -> NoReturn:
    """Exit with 0, without an exception, which a callback of an import could swallow."""
    os.write(2, b"Stopped before it was ready.\n")
    os._exit(EXIT_OK)
