"""Statistics of a consumer."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from threading import Lock

from domain.model.consuming.lease import EventKey

MAX_KNOWN = 100_000
"""The most failed events that are remembered by key; beyond it the oldest is only counted."""


class MessageOutcome(StrEnum):
    """Outcome of a message."""

    HANDLED = "handled"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    DUPLICATE = "duplicates"
    TEST_EVENT = "test_events"
    ERASED = "erased"


class ConsumerStats:
    """Counts of outcomes; remembers `max_known` failed events by key. Safe to use from several threads."""

    def __init__(self, max_known: int = MAX_KNOWN) -> None:
        self._outcomes = Counter[MessageOutcome]()
        self._max_known = max_known
        self._failed_keys: dict[EventKey, None] = {}
        self._failed_events = self._forgotten = self._pauses = 0
        self._lock = Lock()

    def count(self, outcome: MessageOutcome, number: int = 1) -> None:
        """Count messages with this outcome."""
        with self._lock:
            self._outcomes[outcome] += number

    def count_failure(self, key: EventKey) -> None:
        """Count a failed try, and its event once."""
        with self._lock:
            self._outcomes[MessageOutcome.FAILED] += 1
            if key in self._failed_keys:
                return
            self._failed_events += 1
            self._failed_keys[key] = None
            if len(self._failed_keys) > self._max_known:
                del self._failed_keys[next(iter(self._failed_keys))]
                self._forgotten += 1

    def forget_failures(self, keys: Iterable[EventKey]) -> None:
        """Remove events that were handled since, by this consumer or another."""
        if not self._failed_keys:
            return
        with self._lock:
            for key in keys:
                self._failed_keys.pop(key, None)

    def count_pause(self) -> None:
        """Count an outage of the handlers."""
        with self._lock:
            self._pauses += 1

    @property
    def unhandled_events(self) -> int:
        """Number of events that failed and, as far as this consumer knows, were not handled since."""
        return len(self._failed_keys) + self._forgotten

    @property
    def has_unhandled(self) -> bool:
        """True if an event failed and was not handled since, or a message was unreadable."""
        return bool(self.unhandled_events or self[MessageOutcome.UNREADABLE])

    def __getitem__(self, outcome: MessageOutcome) -> int:
        return self._outcomes[outcome]

    def as_dict(self) -> dict[str, int]:
        """Return each figure by its name; `failed` counts every try."""
        return {outcome.value: self._outcomes[outcome] for outcome in MessageOutcome} | {
            "failed_events": self._failed_events,
            "unhandled_events": self.unhandled_events,
            "pauses": self._pauses,
        }
