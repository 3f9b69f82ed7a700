"""Outbox model: events on their way to the bus, their leases, outcomes and records."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.model.events.event import BatchProcessingCompleted

MAX_WAIT_SECONDS = 600.0
"""More than any lease or delay: a later time was written before the clock was set back."""


class OutboxState(StrEnum):
    """State of an event in the outbox."""

    WAITING = "waiting"
    """The event is to be published; a lease does not change this state."""
    PUBLISHED = "published"
    """The bus accepted the event; its transcripts are purged at once or after some days."""
    REJECTED = "rejected"
    """The bus will never accept the event; it is parked with the reason until an operator retries it."""


class EventLease(NamedTuple):
    """Exclusive right to publish one event until the lease expires.

    Attributes:
        token: a new one for each lease of the event; an outcome counts only with the latest token.
        attempts: failed attempts so far; a crash or an expired lease is not counted.
    """

    event: BatchProcessingCompleted
    token: UUID
    attempts: int

    @property
    def interaction_id(self) -> UUID:
        """Identifier of the event."""
        return self.event.interaction_id


class Published(NamedTuple):
    """Outcome of a leased event that the bus accepted, with its receipt."""

    lease: EventLease
    event_id: str


class Postponed(NamedTuple):
    """Outcome of a leased event that is to be published later.

    Attributes:
        delay_seconds: from now on; 0 for at once.
        reason: the failure, fit for a log and an operator; no transcript text.
        is_attempt: true if it counts as a failed attempt; false for an event that was not sent.
    """

    lease: EventLease
    delay_seconds: float
    reason: str
    is_attempt: bool = True


class Rejected(NamedTuple):
    """Outcome of a leased event that the bus will never accept, with the reason."""

    lease: EventLease
    reason: str


Outcome = Published | Postponed | Rejected
"""Outcome of one lease."""


@dataclass(frozen=True, slots=True)
class OutboxRecord:
    """Record of one event, for operators.

    Attributes:
        event: None once the transcripts are purged.
        event_id: the bus's receipt of a published event.
        reason: the last failure, if there was one.
        due_at: time of the next attempt; None unless the event waits.
    """

    interaction_id: UUID
    tenant_id: UUID
    state: OutboxState
    added_at: datetime
    attempts: int
    due_at: datetime | None = None
    published_at: datetime | None = None
    event_id: str | None = None
    reason: str | None = None
    event: BatchProcessingCompleted | None = None


class OutboxCounts(NamedTuple):
    """Number of events in each state.

    Attributes:
        oldest_waiting_seconds: the age of the oldest waiting event; 0 if none waits.
    """

    waiting: int
    rejected: int
    published: int
    oldest_waiting_seconds: float
