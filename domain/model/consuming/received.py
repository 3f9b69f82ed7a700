"""Event as a handler receives it."""

from dataclasses import dataclass
from datetime import datetime

from domain.model.events.sent import StoredEvent


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event from the queue, ready to be handled."""

    # the event with its texts; the payload of a 2.0 reference was fetched and verified
    event: StoredEvent
    replay: str | None = None  # name of the replay that it comes from; None for a new event
    # number of receives, this one included; above 1, an earlier try failed or was interrupted
    receive_count: int = 1
    sent_at: datetime | None = None  # when it was sent to the queue; None if the queue does not tell
    # W3C Trace Context: with tracing, of the work on this event; else of its creation, if its message has one
    traceparent: str | None = None

    def to_json(self) -> str:
        """Return the event as JSON of schema 1.0, never as a reference."""
        return self.event.to_json()
