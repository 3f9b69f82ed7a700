"""An event as a consumer's handler gets it."""

from dataclasses import dataclass
from datetime import datetime

from domain.model.events.event import BatchProcessingCompleted


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event that was taken from a queue, ready to be worked off.

    Attributes:
        event: always with its texts: what a 2.0 reference leads to was fetched and compared before.
        replay: the name of the replay that it comes from; None for an event that is new.
        receive_count: how often it was received, this time included; above 1 an earlier try failed, or its
            end is not known.
        sent_at: when it was put into the queue, where the queue says so.
    """

    event: BatchProcessingCompleted
    replay: str | None = None
    receive_count: int = 1
    sent_at: datetime | None = None

    def to_json(self) -> str:
        """The event alone, as schema 1.0 has it; never a reference."""
        return self.event.to_json()
