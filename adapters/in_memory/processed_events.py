"""Deduplication of consumed events in this process."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from uuid import UUID, uuid4

from domain.model.consuming.lease import EventKey, LeaseStatus, ProcessingLease
from ports.deduplication_port import DeduplicationPort


@dataclass
class _Processed:
    """A leased event, or a completed one, which has no token."""

    token: UUID | None
    expires_at: float


class InMemoryProcessedEvents(DeduplicationPort):
    """Stores events until the process ends; each instance is a consumer group of its own.

    The clock counts seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._events: dict[EventKey, _Processed] = {}

    def acquire(
        self, keys: Sequence[EventKey], /, *, lease_seconds: float
    ) -> tuple[ProcessingLease | LeaseStatus, ...]:
        """Lease each event that is new or expired."""
        with self._lock:
            return tuple(self._acquire(key, self._clock() + lease_seconds) for key in keys)

    def statuses(self, detail_type: str, interaction_ids: Collection[UUID], /) -> Mapping[UUID, LeaseStatus]:
        """Look at every event of the type."""
        with self._lock:
            found = [
                (key.interaction_id, LeaseStatus.IN_PROGRESS if event.token else LeaseStatus.COMPLETED)
                for key, event in self._events.items()
                if key.detail_type == detail_type and event.expires_at > self._clock()
            ]
        found.sort(key=lambda each: each[1] is LeaseStatus.IN_PROGRESS)
        return {each: status for each, status in found if each in interaction_ids}

    def renew(self, leases: Sequence[ProcessingLease], /, *, lease_seconds: float) -> int:
        """Extend the leases that still have these tokens."""
        with self._lock:
            owned = [self._events[lease.key] for lease in leases if self._owns(lease)]
            for event in owned:
                event.expires_at = self._clock() + lease_seconds
            return len(owned)

    def complete(self, leases: Sequence[ProcessingLease], /, *, retention_seconds: float) -> None:
        """Record the events as completed."""
        with self._lock:
            for lease in leases:
                self._events[lease.key] = _Processed(None, self._clock() + retention_seconds)

    def release(self, leases: Sequence[ProcessingLease], /) -> None:
        """Delete the leases that still have these tokens."""
        with self._lock:
            for lease in filter(self._owns, leases):
                del self._events[lease.key]

    def prune(self) -> int:
        """Delete expired events."""
        with self._lock:
            old = [key for key, event in self._events.items() if event.expires_at <= self._clock()]
            for key in old:
                del self._events[key]
            return len(old)

    def _acquire(self, key: EventKey, until: float) -> ProcessingLease | LeaseStatus:
        event = self._events.get(key)
        if event is None or event.expires_at <= self._clock():
            lease = ProcessingLease(key, uuid4())
            self._events[key] = _Processed(lease.token, until)
            return lease
        return LeaseStatus.IN_PROGRESS if event.token else LeaseStatus.COMPLETED

    def _owns(self, lease: ProcessingLease) -> bool:
        event = self._events.get(lease.key)
        return event is not None and event.token == lease.token
