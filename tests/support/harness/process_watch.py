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
        """Stop recording; return each event with the program it started, if it has one."""
        self._watching = False
        return list(self._seen)

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._watching and event in STARTS:
            self._seen.append(f"{event} {arguments[0]}" if arguments else event)
