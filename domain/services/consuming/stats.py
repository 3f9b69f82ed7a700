"""What a consumer did, in figures."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from threading import Lock

from domain.model.consuming.lease import EventKey

MAX_KNOWN = 100_000
"""Events that failed are known one by one up to here; then the oldest is only counted."""


class MessageOutcome(StrEnum):
    """What became of a message."""

    HANDLED = "handled"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    DUPLICATE = "duplicates"
    TEST_EVENT = "test_events"


class ConsumerStats:
    """How many messages met which fate; safe to count from several threads.

    Args:
        max_known: how many events that failed are told from each other.
    """

    def __init__(self, max_known: int = MAX_KNOWN) -> None:
        self._fates = Counter[MessageOutcome]()
        self._max_known = max_known
        self._unhandled: dict[EventKey, None] = {}
        self._failed_events = self._no_longer_known = self._pauses = 0
        self._lock = Lock()

    def count(self, fate: MessageOutcome, number: int = 1) -> None:
        """Add some."""
        with self._lock:
            self._fates[fate] += number

    def count_failure(self, key: EventKey) -> None:
        """Add a try that failed, and its event, unless that failed before."""
        with self._lock:
            self._fates[MessageOutcome.FAILED] += 1
            if key in self._unhandled:
                return
            self._failed_events += 1
            self._unhandled[key] = None
            if len(self._unhandled) > self._max_known:
                del self._unhandled[next(iter(self._unhandled))]
                self._no_longer_known += 1

    def forget_failures(self, keys: Iterable[EventKey]) -> None:
        """These have been handled, here or elsewhere."""
        if not self._unhandled:
            return
        with self._lock:
            for key in keys:
                self._unhandled.pop(key, None)

    def count_pause(self) -> None:
        """Add an outage of the handlers."""
        with self._lock:
            self._pauses += 1

    @property
    def unhandled_events(self) -> int:
        """Different events that failed, and were not handled since as far as is known here."""
        return len(self._unhandled) + self._no_longer_known

    @property
    def leaves_something(self) -> bool:
        """Whether there were messages that are still to be worked off, or cannot be."""
        return bool(self.unhandled_events or self[MessageOutcome.UNREADABLE])

    def __getitem__(self, fate: MessageOutcome) -> int:
        return self._fates[fate]

    def as_dict(self) -> dict[str, int]:
        """Each figure by its name; of `failed`, every try counts."""
        return {fate.value: self._fates[fate] for fate in MessageOutcome} | {
            "failed_events": self._failed_events,
            "unhandled_events": self.unhandled_events,
            "pauses": self._pauses,
        }
