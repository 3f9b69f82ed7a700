"""Check for lost events from outside: compare the callers' promises with the events of the bus."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import NamedTuple
from uuid import UUID

from domain.model.events.kinds import EventKind, read_kind
from tests.support.doubles.bus_faults import Entry

PROMISES = frozenset({"published", "queued"})
"""Answers after which an event must arrive."""


class PromiseLog:
    """Promised ids, on the disk before the next request of a caller."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        path.touch()

    def note(self, interaction_id: str) -> None:
        """Write an id durably; from any thread."""
        with self._lock, self._path.open("a", encoding="ascii") as file:
            file.write(f"{interaction_id}\n")
            file.flush()
            os.fsync(file.fileno())

    def ids(self) -> frozenset[UUID]:
        """Return all written ids."""
        return frozenset(map(UUID, self._path.read_text(encoding="ascii").split()))


class DeliveryCheck(NamedTuple):
    """Result of a comparison.

    Attributes:
        promised: how many there were.
        lost: those whose event never came.
        duplicates: how many events came that had come before.
    """

    promised: int
    lost: frozenset[UUID]
    duplicates: int


def judge(promised: frozenset[UUID], received: Iterable[Entry]) -> DeliveryCheck:
    """Compare promises with arrivals.

    Raises:
        pydantic.ValidationError: something arrived that no consumer could read.
    """
    arrivals = Counter(read_kind(entry["Detail"], EventKind.COMPLETED).interaction_id for entry in received)
    return DeliveryCheck(len(promised), promised - arrivals.keys(), arrivals.total() - len(arrivals))


def nothing_lost(log: PromiseLog, received: Sequence[Entry], *, at_least: int = 1) -> DeliveryCheck:
    """Assert that every promise was kept, and that there were enough promises for a test."""
    verdict = judge(log.ids(), tuple(received))
    assert not verdict.lost
    assert verdict.promised >= at_least
    return verdict
