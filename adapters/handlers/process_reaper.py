"""Reaper of commands: they end with the consumer, even if it is killed with -9."""

import logging
import os
import subprocess
import sys
import weakref

from adapters.handlers import reaper_process

logger = logging.getLogger(__name__)


class ProcessReaper:
    """Process that outlives the consumer for a moment and kills every watched process group.

    The kernel's PR_SET_PDEATHSIG would reach only the command and nothing that it started, and has to be set
    between fork and exec, where a process with threads must not run Python. Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this Python, and a file of ours
            [sys.executable, "-I", "-S", reaper_process.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        assert self._process.stdout is not None  # noqa: S101 - same
        with self._process.stdout as ready:
            ready.read()  # the reaper closes this once it ignores signals
        self._line = self._process.stdin.fileno()
        self._is_gone = False
        weakref.finalize(self, _end_reaper, self._process)

    def watch(self, group: int) -> None:
        """Kill the group if this process ends."""
        self._send(reaper_process.WATCH, group)

    def forget(self, group: int) -> None:
        """Stop watching a group; call it before the group is reaped and its id can be reused."""
        self._send(reaper_process.FORGET, group)

    def _send(self, sign: str, group: int) -> None:
        """Write one line, atomically; without a reaper events are handled all the same."""
        if self._is_gone:
            return
        try:
            os.write(self._line, f"{sign}{group}\n".encode())
        except OSError as error:
            self._is_gone = True
            logger.warning(
                "process reaper lost, commands keep running if the consumer is killed",
                extra={"error": str(error)},
            )


def _end_reaper(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None  # noqa: S101 - as above
    process.stdin.close()
    process.wait()
