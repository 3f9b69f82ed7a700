"""Payload store port: keeps transcripts that are too large for an event."""

from abc import abstractmethod
from typing import Protocol
from uuid import UUID

from domain.model.events.event import BatchProcessingCompleted, TranscriptRef

KEY_PREFIX = "transcripts/"
"""Prefix of the keys of stored transcripts."""


class PayloadStorePort(Protocol):
    """Store of large transcripts, which the service writes and consumers read.

    Nothing but an erasure deletes: an object without an event costs little, an event without its object is a
    loss. Safe to call from several threads.
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
    def get(self, ref: TranscriptRef, /) -> bytes | None:
        """Read the object that a reference names, without comparing size or hash; None if it is gone.

        Objects are stored before their event is sent, so one that does not exist was erased.

        Reads at most one byte beyond the size that the reference names, and only from this store: the sender
        of an event must not choose where its consumers read.

        Raises:
            PayloadStoreError: the reference names another store, or the store is unavailable or does not say
                that the object is missing. The message says which.
        """
        ...

    @abstractmethod
    def erase(self, tenant_id: UUID, interaction_id: UUID, /) -> int:
        """Delete the transcripts of an event, and every earlier version of them that the store has kept.

        Returns:
            The number of deleted objects and versions; 0 where there was none.

        Raises:
            PayloadStoreError: some of them are still stored; the message says why.
        """
        ...


def payload_key(tenant_id: UUID, interaction_id: UUID) -> str:
    """Return the key of the stored transcripts of an event."""
    return f"{KEY_PREFIX}{tenant_id}/{interaction_id}.json"
