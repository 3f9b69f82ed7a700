"""`transcripts` in a process that kills itself at a step of an erasure.

    python -m tests.support.faults.erasing STEP MOMENT ARGUMENTS…

STEP is one of `STEPS`; MOMENT is `before` the step, `commit` for the moment before its COMMIT, or `after` it.
The process dies at the second time, so that one interaction is done and others are not.
"""

import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

from adapters.files.recordings import FolderRecordingStore
from adapters.sql.engines.sqlite import READS_ONLY
from adapters.sql.erasures.erasures import SqlErasures
from entrypoints.cli import main as transcripts

STEPS: dict[str, tuple[type, str]] = {
    "rows": (SqlErasures, "erase"),
    "recording": (FolderRecordingStore, "erase"),
    "finish": (SqlErasures, "finish"),
}
BEFORE, COMMIT, AFTER = "before", "commit", "after"
CALL = 2
"""Number of the call at which the process dies."""


def die() -> None:
    """Kill the process, as a power failure would."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(step: str, moment: str) -> None:
    """Have the process die at the second call of a step."""
    owner, name = STEPS[step]
    method: Callable[..., Any] = getattr(owner, name)
    calls: list[str] = []

    @functools.wraps(method)
    def deadly(*arguments: Any, **options: Any) -> Any:
        calls.append(moment)
        if len(calls) == CALL and moment == BEFORE:
            die()
        result = method(*arguments, **options)
        if len(calls) == CALL and moment == AFTER:
            die()
        return result

    def at_commit(connection: Connection) -> None:
        is_write = not connection.get_execution_options().get(READS_ONLY)
        if is_write and moment == COMMIT and len(calls) == CALL:
            die()

    setattr(owner, name, deadly)
    event.listen(Engine, "commit", at_commit)


def main(step: str, moment: str, *arguments: str) -> None:
    """Run `transcripts` until its death."""
    arm(step, moment)
    transcripts.main(arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
