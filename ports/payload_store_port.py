"""Payload store port: keeps transcripts that are too large for an event."""

from abc import abstractmethod
from typing import Protocol

from domain.model.events.event import BatchProcessingCompleted, TranscriptRef

KEY_PREFIX = "transcripts/"
"""Prefix of the keys of stored transcripts."""


class PayloadStorePort(Protocol):
    """Store of large transcripts, which the service writes and consumers read.

    The port deletes nothing: an object without an event costs little, an event without its object is a loss.
    Safe to call from several threads.
    """

    @abstractmethod
    def store(self, event: BatchProcessingCompleted, /) -> TranscriptRef:
        """Store both transcripts of an event as the JSON of its `data`; returns once they can be read.

        Storing the same event again writes the same object.

        Raises:
            PayloadStoreError: the transcripts may not be stored; trying again may help.
        """
        ...

    @abstractmethod
    def get(self, ref: TranscriptRef, /) -> bytes:
        """Read the object that a reference names, without comparing size or hash.

        Reads at most one byte beyond the size that the reference names, and only from this store: the sender
        of an event must not choose where its consumers read.

        Raises:
            PayloadStoreError: the reference names another store or no object, or the store is unavailable.
                The message says which.
        """
        ...


def payload_key(event: BatchProcessingCompleted) -> str:
    """Return the key of the stored transcripts of an event."""
    return f"{KEY_PREFIX}{event.tenant_id}/{event.interaction_id}.json"
