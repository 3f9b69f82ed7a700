"""Replays: archived events that are sent through the route again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

SETTLE_SECONDS = 30.0
"""Time after the end of a replay in which its last events may still reach the queue."""


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """A request to replay the events of a time span.

    Raises:
        ValueError: the end is not after the start.
    """

    start: datetime  # with a time zone, as `end`
    end: datetime
    tenant_id: UUID | None = None  # the tenant of the events; None for all tenants

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"{self.end.isoformat()} is not after {self.start.isoformat()}")


class ReplayState(StrEnum):
    """State of a replay."""

    STARTING = "starting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """True once the replay sends no more events."""
        return self in (ReplayState.COMPLETED, ReplayState.CANCELLED, ReplayState.FAILED)


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay of the events of a time span, and its state."""

    name: str  # unique name, which each of its events carries for consumers
    state: ReplayState
    start: datetime
    end: datetime
    reached: datetime | None = None  # time of the last event sent; None before the first one
    reason: str = ""  # the bus's explanation of the state

    @property
    def progress(self) -> float:
        """Fraction of the time span that was replayed, from 0 to 1."""
        if self.state is ReplayState.COMPLETED:
            return 1.0
        if self.reached is None:
            return 0.0
        return min(1.0, max(0.0, (self.reached - self.start) / (self.end - self.start)))
