"""Port of erasures: interactions are erased from all stores of the database at once."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from domain.model.erasures import ErasedRows, Erasure, ErasureQuery, PendingObjects
from domain.model.identity import Interaction


class ErasurePort(Protocol):
    """Erases interactions from jobs, outbox and idempotency answers, and keeps a tombstone of each.

    A tombstone is kept for good. No event is stored under its id, no job gets its id, and no answer of its
    request is stored; leases of its job and of its event are stale. The objects of an interaction outside the
    database (recording, large transcripts) are the caller's to delete: they are pending from the erasure
    until `finish`. Every method may block, and raises `JobStoreUnavailableError` if the database cannot be
    reached, is full or fails; then nothing may have been recorded.
    """

    @abstractmethod
    def find(
        self, query: ErasureQuery, /, *, limit: int, behind: UUID | None = None
    ) -> tuple[Interaction, ...]:
        """Return interactions with rows to erase, in the order of their ids, from behind an id on.

        An interaction that was erased is found again where a job or an answer of it has come back, such as
        from a backup, and where the query names its id.
        """
        ...

    @abstractmethod
    def erase(self, interaction: Interaction, erasure: Erasure, /) -> ErasedRows:
        """Erase the rows of an interaction, and leave its tombstone, in one transaction.

        A waiting event is withdrawn. Where consumers may have got the transcript and are to learn of it, the
        event of the erasure is in the outbox afterwards (`is_announced`). A repeated erasure changes no row,
        and its objects are pending again: one may have been written late, or restored from a backup.

        Raises:
            JobUnfinishedError: the interaction is a job that has not ended; nothing is erased.
        """
        ...

    @abstractmethod
    def pending(
        self, limit: int, /, *, interaction_id: UUID | None = None, behind: UUID | None = None
    ) -> tuple[PendingObjects, ...]:
        """Return erased interactions, or the named one, whose objects are pending, in the order of ids."""
        ...

    @abstractmethod
    def finish(self, interaction_id: UUID, /) -> bool:
        """Record that the objects of an erased interaction are deleted.

        Returns:
            False while a process may still write one, under a lease from before the erasure: they stay
            pending, and are to be deleted once more.
        """
        ...

    @abstractmethod
    def erased(self, interaction_ids: Sequence[UUID], /) -> frozenset[UUID]:
        """Return those of the ids that have a tombstone."""
        ...

    @abstractmethod
    def is_empty(self) -> bool:
        """Return True where no interaction was ever erased."""
        ...

    @abstractmethod
    def scrub(self) -> bool:
        """Remove what deleted rows leave in the files of the database, where that is in our power.

        Returns:
            False where another process reads the files at present; call it again later.
        """
        ...
