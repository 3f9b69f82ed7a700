"""Examination: runs checks one after the other, each within a time limit."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from domain.model.errors import TranscriptionServiceError

logger = logging.getLogger(__name__)


class CheckResult(StrEnum):
    """Verdict of a check."""

    OK = "ok"
    WARNING = "warning"
    """Works, but needs attention."""
    WRONG = "wrong"
    """Breaks the handling of recordings or events."""
    UNKNOWN = "unknown"
    """Could not be looked at: nothing is known to work."""


class Check(NamedTuple):
    """One check and its result; contains no secret."""

    name: str
    verdict: CheckResult
    found: str  # the observed state
    remedy: str = ""  # what to do; empty where nothing is to be done

    @property
    def failed(self) -> bool:
        """True if something is wrong, or could not be looked at."""
        return self.verdict in (CheckResult.WRONG, CheckResult.UNKNOWN)


Run = Callable[[], Iterable[Check]]


def run_checks(checks: Mapping[str, Run], seconds: float) -> Iterator[Check]:
    """Run the checks in order and yield each result at once; a check that fails affects no other.

    A check that takes longer than `seconds` is `UNKNOWN`. Its thread is left behind, because most calls
    cannot be interrupted; it does not keep the process alive.
    """
    for name, run in checks.items():
        results: SimpleQueue[Check | None] = SimpleQueue()
        Thread(target=_collect, args=(results, name, run), name=f"check {name}", daemon=True).start()
        yield from _within(seconds, name, results)


def _within(seconds: float, name: str, results: "SimpleQueue[Check | None]") -> Iterator[Check]:
    deadline = time.monotonic() + seconds
    try:
        while (check := results.get(timeout=max(deadline - time.monotonic(), 0.0))) is not None:
            yield check
    except Empty:
        found = f"could not be looked at within {seconds:g} s"
        remedy = "Give it more time with --timeout, or check the network and the servers that it asks."
        yield Check(name, CheckResult.UNKNOWN, found, remedy)


def _collect(results: "SimpleQueue[Check | None]", name: str, run: Run) -> None:
    try:
        for check in run():
            results.put(check)
    except (TranscriptionServiceError, OSError) as error:
        results.put(Check(name, CheckResult.WRONG, str(error)))
    except Exception as error:
        logger.exception(
            "check failed with an unexpected error",
            extra={"check": name, "error_type": type(error).__name__},
        )
        found = f"could not be looked at: {type(error).__name__}"
        results.put(Check(name, CheckResult.UNKNOWN, found, "See the log."))
    results.put(None)
