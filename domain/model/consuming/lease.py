"""Deduplication keys and processing leases, so that each event is handled once."""

from enum import Enum
from typing import NamedTuple
from uuid import UUID


class EventKey(NamedTuple):
    """Deduplication key of an event: a recording may have one event of each type."""

    detail_type: str
    interaction_id: UUID
    replay: str | None = None  # name of the replay that it comes from; a replayed event is handled again


class ProcessingLease(NamedTuple):
    """Exclusive right to handle an event until it is completed or released, or the lease expires."""

    key: EventKey
    token: UUID  # new with each acquire; tells the current owner from a stale one


class LeaseStatus(Enum):
    """Reason why no lease was granted."""

    COMPLETED = "done"
    """The event was handled."""
    IN_PROGRESS = "taken"
    """Another consumer has the lease, or died with it a moment ago."""
    ERASED = "erased"
    """The transcript was erased since, so no handler may get it."""
