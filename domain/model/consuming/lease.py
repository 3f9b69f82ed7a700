"""What is remembered of events that were worked off, so that a duplicate is not worked off again."""

from enum import Enum
from typing import NamedTuple
from uuid import UUID


class EventKey(NamedTuple):
    """What tells an event from others, and a duplicate from what is to be done once more.

    Attributes:
        replay: the name of the replay that it comes from: somebody wants it worked off again.
    """

    interaction_id: UUID
    replay: str | None = None


class ProcessingLease(NamedTuple):
    """The right to work an event off; it ends with its success, or is given up, or runs out.

    Attributes:
        token: differs with every acquire, so that a stale holder cannot be taken for the present one.
    """

    key: EventKey
    token: UUID


class LeaseStatus(Enum):
    """Why an event is not to be worked off now."""

    COMPLETED = "done"
    """It was, and is remembered."""
    IN_PROGRESS = "taken"
    """Somebody works on it, or died over it a moment ago."""
