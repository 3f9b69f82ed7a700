"""The memory of what was worked off, in this process."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from uuid import UUID, uuid4

from domain.model.consuming.lease import EventKey, Hold, Standing
from ports.processed_events_port import ProcessedEventsPort


@dataclass
class _Processed:
    """An event in an `InMemoryProcessedEvents`; without a token it is done."""

    token: UUID | None
    expires_at: float


class InMemoryProcessedEvents(ProcessedEventsPort):
    """Remembers events until the process ends; every instance is a group of its own.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._events: dict[EventKey, _Processed] = {}

    def claim(self, keys: Sequence[EventKey], /, *, lease_seconds: float) -> tuple[Hold | Standing, ...]:
        """Hold what is new or forgotten."""
        with self._lock:
            return tuple(self._claim(key, self._clock() + lease_seconds) for key in keys)

    def renew(self, holds: Sequence[Hold], /, *, lease_seconds: float) -> int:
        """Go on holding."""
        with self._lock:
            owned = [self._events[hold.key] for hold in holds if self._owns(hold)]
            for event in owned:
                event.expires_at = self._clock() + lease_seconds
            return len(owned)

    def finish(self, holds: Sequence[Hold], /, *, remember_seconds: float) -> None:
        """Remember them."""
        with self._lock:
            for hold in holds:
                self._events[hold.key] = _Processed(None, self._clock() + remember_seconds)

    def give_up(self, holds: Sequence[Hold], /) -> None:
        """Forget that they were held."""
        with self._lock:
            for hold in filter(self._owns, holds):
                del self._events[hold.key]

    def prune(self) -> int:
        """Erase what has expired."""
        with self._lock:
            old = [key for key, event in self._events.items() if event.expires_at <= self._clock()]
            for key in old:
                del self._events[key]
            return len(old)

    def _claim(self, key: EventKey, until: float) -> Hold | Standing:
        event = self._events.get(key)
        if event is None or event.expires_at <= self._clock():
            hold = Hold(key, uuid4())
            self._events[key] = _Processed(hold.token, until)
            return hold
        return Standing.TAKEN if event.token else Standing.DONE

    def _owns(self, hold: Hold) -> bool:
        event = self._events.get(hold.key)
        return event is not None and event.token == hold.token
