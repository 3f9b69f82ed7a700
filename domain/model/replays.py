"""Replays: events of the past, sent down the route once more."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

SETTLE_SECONDS = 30.0
"""The last events may still be under way to the queue when a replay is over."""


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Which events are to be replayed.

    Attributes:
        start, end: when they happened; both with a time zone.
        tenant_id: whose they are; None for everybody's.

    Raises:
        ValueError: the end does not come after the start.
    """

    start: datetime
    end: datetime
    tenant_id: UUID | None = None

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"{self.end.isoformat()} does not come after {self.start.isoformat()}")


class ReplayState(StrEnum):
    """Where a replay stands."""

    STARTING = "starting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be sent."""
        return self in (ReplayState.COMPLETED, ReplayState.CANCELLED, ReplayState.FAILED)


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay as it stands.

    Attributes:
        name: travels with each of its events, so that consumers can tell them.
        start, end: which events it is about.
        reached: when the event happened that was sent last; None before the first one.
        reason: what the bus says about its state.
    """

    name: str
    state: ReplayState
    start: datetime
    end: datetime
    reached: datetime | None = None
    reason: str = ""

    @property
    def progress(self) -> float:
        """How much of the time in question has been gone through, from 0 to 1."""
        if self.state is ReplayState.COMPLETED:
            return 1.0
        if self.reached is None:
            return 0.0
        return min(1.0, max(0.0, (self.reached - self.start) / (self.end - self.start)))
