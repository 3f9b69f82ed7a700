"""The program that `ProcessReaper` runs: reads which process groups run, and kills those left at the end.

The end comes when nobody can write any more: whoever started it is dead, however it died. Signals that are
meant for the consumer's whole family do not end it.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable

WATCH, FORGET = "+", "-"
"""How a line begins; the number of a group follows."""


def main(lines: Iterable[str]) -> None:
    """Follow the lines to their end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.close(sys.stdout.fileno())  # which says that this is done; Python's own close() leaves it open
    groups = set[int]()
    for line in lines:
        (groups.add if line[0] == WATCH else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or somebody else's by now
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.stdin)
