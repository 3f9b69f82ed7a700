"""Event as a handler receives it."""

from dataclasses import dataclass
from datetime import datetime

from domain.model.events.event import BatchProcessingCompleted


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event from the queue, ready to be handled.

    Attributes:
        event: the event with its texts; the payload of a 2.0 reference was fetched and verified.
        replay: name of the replay that it comes from; None for a new event.
        receive_count: number of receives, this one included; above 1, an earlier try failed or was
            interrupted.
        sent_at: when it was sent to the queue; None if the queue does not tell.
    """

    event: BatchProcessingCompleted
    replay: str | None = None
    receive_count: int = 1
    sent_at: datetime | None = None

    def to_json(self) -> str:
        """Return the event as JSON of schema 1.0, never as a reference."""
        return self.event.to_json()
