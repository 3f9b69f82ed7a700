"""Where transcripts lie that are too large for an event."""

from abc import abstractmethod
from typing import Protocol

from domain.model.events.event import BatchProcessingCompleted, TranscriptRef

KEY_PREFIX = "transcripts/"
"""How the names begin under which transcripts are stored."""


class PayloadStorePort(Protocol):
    """A store of large transcripts, which the service writes and consumers read.

    Nothing is ever deleted through it: an object without an event costs little, an event without its object
    is a loss. Safe to call from several threads.
    """

    @abstractmethod
    def store(self, event: BatchProcessingCompleted, /) -> TranscriptRef:
        """Keep both transcripts of an event, as the JSON of its `data`; returns once they can be read.

        Storing the same event again leads to the same object.

        Raises:
            PayloadStoreError: nothing is known to be stored; trying again may help.
        """
        ...

    @abstractmethod
    def get(self, ref: TranscriptRef, /) -> bytes:
        """Read what lies where a reference leads, as it lies there; nothing is compared yet.

        Reads no more than one byte beyond the size that the reference names, and nothing but this store: who
        sends an event must not choose where its readers look.

        Raises:
            PayloadStoreError: the reference leads into another store or to nothing, or the store cannot be
                had. The message says which.
        """
        ...


def payload_key(event: BatchProcessingCompleted) -> str:
    """The name under which the transcripts of an event are stored."""
    return f"{KEY_PREFIX}{event.tenant_id}/{event.interaction_id}.json"
