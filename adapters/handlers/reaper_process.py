"""Program that `ProcessReaper` runs: reads the running process groups, and kills those left at the end.

Its input ends when the process that started it is dead. It ignores signals that are sent to the consumer's
whole process group.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable

WATCH, FORGET = "+", "-"
"""First character of a line; the id of a group follows."""


def main(lines: Iterable[str]) -> None:
    """Read the lines to their end, then kill the groups that are left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.close(
        sys.stdout.fileno()
    )  # tells the parent that signals are ignored; Python's own close() leaves it open
    groups = set[int]()
    for line in lines:
        (groups.add if line[0] == WATCH else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or reused by now
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.stdin)
