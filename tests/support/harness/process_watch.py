"""Record the processes that a test starts, by way of Python's audit events.

An audit hook stays for the life of its process, so there is one for all tests; it keeps nothing while no test
is watched.
"""

import sys

STARTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"})


class ProcessWatch:
    """Events of the kind STARTS between `begin` and `end`, from any thread of this process."""

    def __init__(self) -> None:
        self._watching = False
        self._seen: list[str] = []
        sys.addaudithook(self._note)

    def begin(self) -> None:
        """Forget earlier events, and record from now on."""
        self._seen.clear()
        self._watching = True

    def end(self) -> list[str]:
        """Stop recording; return each program that was started, or the event of a fork, once.

        One start may be two events: Python 3.13 reports a `Popen` and the `posix_spawn` below it.
        """
        self._watching = False
        return list(dict.fromkeys(self._seen))

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._watching and event in STARTS:
            self._seen.append(str(arguments[0]) if arguments else event)
