"""Commands end with the process that started them, also where that is killed with -9."""

import logging
import os
import subprocess
import sys
import weakref

from adapters.handlers import reaper_process

logger = logging.getLogger(__name__)


class ProcessReaper:
    """A process that outlives this one by a moment, in which it kills every group that is not forgotten.

    The kernel's own means (PR_SET_PDEATHSIG) would reach the command alone and nothing that it started, and
    has to be asked for between fork and exec, where a process with threads may not run Python. Safe to use
    from several threads.
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
            ready.read()  # it closes this once no signal ends it any more
        self._line = self._process.stdin.fileno()
        self._is_gone = False
        weakref.finalize(self, _dismiss, self._process)

    def watch(self, group: int) -> None:
        """Have it killed, should this process end."""
        self._say(reaper_process.WATCH, group)

    def forget(self, group: int) -> None:
        """Leave it alone; to be said before its number can be somebody else's."""
        self._say(reaper_process.FORGET, group)

    def _say(self, what: str, group: int) -> None:
        """One write, which no other thread's can break up. No event fails for the want of a guard."""
        if self._is_gone:
            return
        try:
            os.write(self._line, f"{what}{group}\n".encode())
        except OSError as error:
            self._is_gone = True
            logger.warning(
                "commands are not guarded: they go on if the consumer is killed", extra={"error": str(error)}
            )


def _dismiss(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None  # noqa: S101 - as above
    process.stdin.close()
    process.wait()
