"""Outbox model: events on their way to the bus, their leases, outcomes and records."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.model.events.sent import StoredEvent

MAX_WAIT_SECONDS = 600.0
"""More than any lease or delay: a later time was written before the clock was set back."""

LATE_SECONDS = 300.0
"""Longest wait of an event before it is a warning: the bus is unavailable, or no relay runs."""


class OutboxState(StrEnum):
    """State of an event in the outbox."""

    WAITING = "waiting"
    """The event is to be published; a lease does not change this state."""
    PUBLISHED = "published"
    """The bus accepted the event; its transcripts are purged at once or after some days."""
    REJECTED = "rejected"
    """The bus will never accept the event; it is parked with the reason until an operator retries it."""


class EventLease(NamedTuple):
    """Exclusive right to publish one event until the lease expires."""

    event: StoredEvent
    token: UUID  # a new one for each lease of the event; an outcome counts only with the latest token
    attempts: int  # failed attempts so far; a crash or an expired lease is not counted
    traceparent: str | None = None  # W3C Trace Context in which the event was added; None without tracing

    @property
    def interaction_id(self) -> UUID:
        """Identifier of the event."""
        return self.event.interaction_id


class Published(NamedTuple):
    """Outcome of a leased event that the bus accepted, with its receipt."""

    lease: EventLease
    event_id: str


class Postponed(NamedTuple):
    """Outcome of a leased event that is to be published later."""

    lease: EventLease
    delay_seconds: float  # from now on; 0 for at once
    reason: str  # the failure, fit for a log and an operator; no transcript text
    is_attempt: bool = True  # true if it counts as a failed attempt; false for an event that was not sent


class Rejected(NamedTuple):
    """Outcome of a leased event that the bus will never accept, with the reason."""

    lease: EventLease
    reason: str


Outcome = Published | Postponed | Rejected
"""Outcome of one lease."""


class EventStatus(NamedTuple):
    """State of an event, without the event."""

    state: OutboxState
    event_id: str | None  # the bus's receipt of a published event


@dataclass(frozen=True, slots=True)
class OutboxRecord:
    """Record of one event, for operators."""

    interaction_id: UUID
    tenant_id: UUID
    state: OutboxState
    added_at: datetime
    attempts: int
    due_at: datetime | None = None  # time of the next attempt; None unless the event waits
    published_at: datetime | None = None
    event_id: str | None = None  # the bus's receipt of a published event
    reason: str | None = None  # the last failure, if there was one
    event: StoredEvent | None = None  # None once the transcripts are purged


class OutboxCounts(NamedTuple):
    """Number of events in each state."""

    waiting: int
    rejected: int
    published: int
    oldest_waiting_seconds: float  # the age of the oldest waiting event; 0 if none waits

    @property
    def is_late(self) -> bool:
        """True if an event waits for longer than a working relay lets it."""
        return self.oldest_waiting_seconds > LATE_SECONDS
