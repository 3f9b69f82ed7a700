"""Outbox in this process."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from uuid import UUID, uuid4

from domain.model.clock import SECONDS_PER_DAY
from domain.model.errors import InteractionIdTakenError
from domain.model.events.sent import StoredEvent, stored_event
from domain.model.outbox import (
    MAX_WAIT_SECONDS,
    EventLease,
    EventStatus,
    OutboxCounts,
    OutboxRecord,
    OutboxState,
    Outcome,
    Postponed,
    Published,
    Rejected,
)
from ports.outbox_port import OutboxPort

WAITING, PUBLISHED, REJECTED = OutboxState.WAITING, OutboxState.PUBLISHED, OutboxState.REJECTED


@dataclass
class _StoredEvent:
    """A stored event, like a row of a database; times are seconds since 1970."""

    json: str | None
    tenant_id: UUID
    token: UUID | None
    added_at: float
    due_at: float
    lease_until: float = 0.0
    state: OutboxState = OutboxState.WAITING
    attempts: int = 0
    settled_at: float | None = None
    event_id: str | None = None
    reason: str | None = None
    traceparent: str | None = None
    user_id: str | None = None

    @property
    def event(self) -> StoredEvent | None:
        return stored_event(self.json) if self.json else None

    def free_at(self, now: float) -> float:
        latest = now + MAX_WAIT_SECONDS
        return max(now if moment > latest else moment for moment in (self.due_at, self.lease_until))

    def is_postponed(self, now: float) -> bool:
        return max(self.due_at, self.lease_until) > now

    def settle(self, outcome: Outcome, now: float, *, keeps_texts: bool) -> None:
        self.token, self.lease_until, self.due_at = None, now, now
        match outcome:
            case Published(_, event_id):
                self.state, self.settled_at, self.event_id = PUBLISHED, now, event_id
                self.json = self.json if keeps_texts else None
            case Rejected(_, reason):
                self.state, self.settled_at, self.reason = REJECTED, now, reason
                self.attempts += 1
            case Postponed(_, delay_seconds, reason, is_attempt):
                self.due_at, self.reason = now + delay_seconds, reason
                self.attempts += is_attempt

    def record(self, interaction_id: UUID) -> OutboxRecord:
        return OutboxRecord(
            interaction_id=interaction_id,
            tenant_id=self.tenant_id,
            state=self.state,
            added_at=datetime.fromtimestamp(self.added_at, UTC),
            attempts=self.attempts,
            due_at=datetime.fromtimestamp(self.due_at, UTC) if self.state is WAITING else None,
            published_at=datetime.fromtimestamp(self.settled_at or 0, UTC) if self.event_id else None,
            event_id=self.event_id,
            reason=self.reason,
            event=self.event,
        )


class InMemoryOutbox(OutboxPort):
    """Stores events as JSON until the process ends; they do not survive a crash.

    The texts of published events are kept for `keep_days`. The clock counts seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time, *, keep_days: float = 0.0) -> None:
        self._clock = clock
        self._keep_seconds = keep_days * SECONDS_PER_DAY
        self._lock = Lock()
        self._events: dict[UUID, _StoredEvent] = {}
        self._erased: set[UUID] = set()

    def add(
        self, event: StoredEvent, /, *, lease_seconds: float = 0.0, traceparent: str | None = None
    ) -> EventLease:
        """Store the event, unless it is stored already."""
        lease, json = EventLease(event, uuid4(), 0, traceparent), event.to_json()
        with self._lock:
            now = self._clock()
            added = _StoredEvent(json, event.tenant_id, lease.token, now, now, now + lease_seconds)
            added.traceparent, added.user_id = traceparent, event.user_id
            if event.interaction_id in self._erased:
                raise InteractionIdTakenError(event.interaction_id)
            stored = self._events.setdefault(event.interaction_id, added)
        if stored.json != json:
            raise InteractionIdTakenError(event.interaction_id)
        return lease

    def lease_due(self, limit: int, /, *, lease_seconds: float) -> tuple[EventLease, ...]:
        """Lease due events, oldest first."""
        with self._lock:
            now, token = self._clock(), uuid4()
            free = [stored for stored in self._waiting() if stored.free_at(now) <= now]
            free = sorted(free, key=lambda stored: (stored.is_postponed(now), stored.due_at))[:limit]
            for stored in free:
                stored.token, stored.lease_until = token, now + lease_seconds
            return tuple(
                EventLease(event, token, stored.attempts, stored.traceparent)
                for stored in free
                if (event := stored.event)
            )

    def record(self, outcomes: Sequence[Outcome], /) -> int:
        """Apply outcomes whose token still owns the event."""
        with self._lock:
            return sum(self._settle(outcome) for outcome in outcomes)

    def counts(self) -> OutboxCounts:
        """Count the events by state."""
        with self._lock:
            states = Counter(stored.state for stored in self._events.values())
            now = self._clock()
            oldest = max((now - stored.added_at for stored in self._waiting()), default=0.0)
        return OutboxCounts(states[WAITING], states[REJECTED], states[PUBLISHED], max(0.0, oldest))

    def seconds_until_due(self) -> float | None:
        """Find the waiting event that can be leased first."""
        with self._lock:
            now = self._clock()
            free_at = min((stored.free_at(now) for stored in self._waiting()), default=None)
            return None if free_at is None else max(0.0, free_at - now)

    def find(self, interaction_id: UUID, /) -> OutboxRecord | None:
        """Read one event."""
        with self._lock:
            stored = self._events.get(interaction_id)
            return stored.record(interaction_id) if stored else None

    def statuses(self, interaction_ids: Sequence[UUID], /) -> Mapping[UUID, EventStatus]:
        """Read the states of many events."""
        found = (self.find(each) for each in interaction_ids)
        return {each.interaction_id: EventStatus(each.state, each.event_id) for each in found if each}

    def records(self, state: OutboxState | None = None, /, *, limit: int = 100) -> tuple[OutboxRecord, ...]:
        """List the events that were added most recently."""
        with self._lock:
            wanted = [(key, stored) for key, stored in self._events.items() if state in (None, stored.state)]
        latest = sorted(wanted, key=lambda pair: pair[1].added_at, reverse=True)[:limit]
        return tuple(stored.record(interaction_id) for interaction_id, stored in latest)

    def retry(self, interaction_ids: Sequence[UUID] | None = None, /) -> int:
        """Make the named events due now, or every rejected event."""
        with self._lock:
            if interaction_ids is None:
                chosen = [stored for stored in self._events.values() if stored.state is REJECTED]
            else:
                named = (stored for key, stored in self._events.items() if key in interaction_ids)
                chosen = [stored for stored in named if stored.state is not PUBLISHED]
            for stored in chosen:
                stored.state, stored.due_at, stored.settled_at = WAITING, self._clock(), None
            return len(chosen)

    def purge_payloads(self, limit: int, /) -> int:
        """Drop the texts of events that were published long enough ago."""
        with self._lock:
            before = self._clock() - self._keep_seconds
            texts = (stored for stored in self._events.values() if stored.state is PUBLISHED and stored.json)
            old = [stored for stored in texts if (stored.settled_at or 0) <= before][:limit]
            for stored in old:
                stored.json = None
            return len(old)

    def prune(self, *, older_than_days: float, rejected: bool = False) -> int:
        """Delete events that were settled long enough ago."""
        states = (PUBLISHED, REJECTED) if rejected else (PUBLISHED,)
        with self._lock:
            limit = self._clock() - older_than_days * SECONDS_PER_DAY
            stored = self._events.items()
            old = [key for key, one in stored if one.state in states and (one.settled_at or 0) <= limit]
            for key in old:
                del self._events[key]
            return len(old)

    def is_taken(self, interaction_id: UUID) -> bool:
        """Check for an event or a tombstone with the id."""
        with self._lock:
            return interaction_id in self._events or interaction_id in self._erased

    def owners(self) -> tuple[tuple[OutboxRecord, str | None], ...]:
        """Return every record with its user, which outlives the event."""
        with self._lock:
            return tuple((stored.record(key), stored.user_id) for key, stored in self._events.items())

    def erase(self, interaction_id: UUID, replacement: StoredEvent | None, *, drops: bool) -> float:
        """Refuse events with the id from now on; replace the event or drop it.

        Returns:
            The end of the lease of the former event; 0 without one.
        """
        with self._lock:
            now, former = self._clock(), self._events.get(interaction_id)
            self._erased.add(interaction_id)
            if replacement is not None:
                new = _StoredEvent(replacement.to_json(), replacement.tenant_id, None, now, now, now)
                new.user_id = replacement.user_id
                self._events[interaction_id] = new
            elif drops:
                self._events.pop(interaction_id, None)
            return former.lease_until if former is not None and former.token is not None else 0.0

    def _waiting(self) -> Iterator[_StoredEvent]:
        return (stored for stored in self._events.values() if stored.state is WAITING)

    def _settle(self, outcome: Outcome) -> bool:
        stored = self._events.get(outcome.lease.interaction_id)
        if stored is None or stored.state is not WAITING or stored.token != outcome.lease.token:
            return False
        stored.settle(outcome, self._clock(), keeps_texts=self._keep_seconds > 0)
        return True
