"""Record the processes that a test starts, by wrapping the functions that start one.

Not by an audit hook: Python calls that for each `id()`, and the tests then copied a container, which they do
thousands of times, in one and a half times the time.
"""

import functools
import os
import subprocess
from collections.abc import Callable
from typing import Any

STARTS = (
    (subprocess.Popen, "__init__"),
    *((os, name) for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system")),
)


class ProcessWatch:
    """Processes that were started between `begin` and `end`, by any thread of this process."""

    def __init__(self) -> None:
        self._watching = False
        self._seen: list[str] = []
        for place, name in STARTS:
            setattr(place, name, self._noting(getattr(place, name), name))

    def begin(self) -> None:
        """Forget earlier starts, and record from now on."""
        self._seen.clear()
        self._watching = True

    def end(self) -> list[str]:
        """Stop recording; return each call. One start may be two: `Popen` may call `posix_spawn`."""
        self._watching = False
        return self._seen[:]

    def _noting(self, start: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(start)
        def noting(*arguments: Any, **options: Any) -> Any:
            if self._watching:
                told = [each for each in arguments if not isinstance(each, subprocess.Popen)]
                self._seen.append(f"{name}: {told}")
            return start(*arguments, **options)

        return noting
