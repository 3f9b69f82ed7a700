"""What the outbox keeps: events on their way to the bus, and the record of those that got there."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.model.events.event import BatchProcessingCompleted

MAX_WAIT_SECONDS = 600.0
"""Longer than any lease and any delay: what lies further ahead was written before the clock was set back."""


class OutboxState(StrEnum):
    """Where an event stands."""

    WAITING = "waiting"
    """It will be published, sooner or later; being leased does not change that."""
    PUBLISHED = "published"
    """The bus accepted it; its texts are gone from here, or will be after some days."""
    REJECTED = "rejected"
    """The bus will never accept it as it is; it is parked with the reason until an operator retries it."""


class EventLease(NamedTuple):
    """One event that was lent to whoever publishes it, until the lease ends.

    Attributes:
        token: another one each time the event is leased; what an owner reports counts only while it is the
            event's latest.
        attempts: failed attempts so far. A crash, or a lease that ran out, is none.
    """

    event: BatchProcessingCompleted
    token: UUID
    attempts: int

    @property
    def interaction_id(self) -> UUID:
        """Names the event."""
        return self.event.interaction_id


class Published(NamedTuple):
    """What the bus answered to a leased event that it accepted."""

    lease: EventLease
    event_id: str


class Postponed(NamedTuple):
    """A leased event that is to be tried again.

    Attributes:
        delay_seconds: from now on; 0 for at once.
        reason: what went wrong, fit for a log and an operator; no transcript text.
        is_attempt: whether it counts as a failed attempt: a pause of the relay does not.
    """

    lease: EventLease
    delay_seconds: float
    reason: str
    is_attempt: bool = True


class Rejected(NamedTuple):
    """A leased event that the bus will never accept as it is, and why."""

    lease: EventLease
    reason: str


Outcome = Published | Postponed | Rejected
"""What became of one lease."""


@dataclass(frozen=True, slots=True)
class OutboxRecord:
    """One event as an operator sees it; its texts are not shown.

    Attributes:
        event: None once the texts are gone.
        event_id: the bus's receipt, once it is published.
        reason: what went wrong last, if anything did.
        due_at: when it is to be tried again; None unless it waits.
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
    """How many events stand where.

    Attributes:
        oldest_waiting_seconds: the age of the oldest event that waits; 0 where none does.
    """

    waiting: int
    rejected: int
    published: int
    oldest_waiting_seconds: float
