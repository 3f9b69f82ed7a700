"""Erasures: which interactions are erased, for whom, and the tombstone that each of them leaves."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.model.events.erased import ErasureCause, ErasureData, TranscriptErased
from domain.model.events.event import BatchProcessingCompleted
from domain.model.events.failed import BatchProcessingFailed
from domain.model.events.sent import StoredEvent
from domain.model.identity import Interaction

UNKNOWN_USER = "unknown"
"""User of an erased interaction whose event was published by a version that did not keep the user."""


@dataclass(frozen=True, slots=True)
class ErasureQuery:
    """Choice of interactions; those in none of the stores are not found."""

    interaction_id: UUID | None = None
    tenant_id: UUID | None = None
    user_id: str | None = None
    before: datetime | None = None  # interactions that were accepted before
    only_settled: bool = False  # leave out running jobs, and events that are not published


@dataclass(frozen=True, slots=True)
class Erasure:
    """Order to erase: for whom and why, and whether consumers learn of it."""

    requested_by: str
    cause: ErasureCause
    announces: bool  # events of the kind `erased` are sent

    def event(self, interaction: Interaction, at: datetime) -> TranscriptErased:
        """Build the event that tells consumers of the erasure."""
        return TranscriptErased(
            interaction_id=interaction.id,
            tenant_id=interaction.tenant_id,
            user_id=interaction.user_id or UNKNOWN_USER,
            account_id=interaction.account_id,
            timestamp=at,
            data=ErasureData(requested_by=self.requested_by, cause=self.cause, at=at),
        )


class ErasedRows(NamedTuple):
    """Rows of one interaction that an erasure removed from the database."""

    jobs: int = 0
    events: int = 0  # events of transcripts, waiting ones included: they are withdrawn
    answers: int = 0  # answers to idempotency keys
    announced: bool = False  # an event of the erasure waits for the relay


class PendingObjects(NamedTuple):
    """Objects of an erased interaction that may still be stored outside the database."""

    interaction_id: UUID
    tenant_id: UUID
    recording_key: str | None


def is_announced(event: StoredEvent | None, *, had_transcript: bool, erasure: Erasure) -> bool:
    """Tell whether consumers learn of the erasure of an interaction.

    They do if they may have got its transcript. An interaction that failed or was cancelled keeps its one
    terminal event, which holds no text.

    Args:
        event: the event in the outbox; None where there is none, or it is published.
        had_transcript: False for a job that failed, was cancelled, or sends no events.
        erasure: the order.
    """
    return erasure.announces and had_transcript and not isinstance(event, BatchProcessingFailed)


def has_text(event: StoredEvent | None) -> bool:
    """Tell whether an event holds a transcript."""
    return isinstance(event, BatchProcessingCompleted)
