"""Port of the deduplication store: leases on events, and a record of those that were handled."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from domain.model.consuming.lease import EventKey, LeaseStatus, ProcessingLease


class DeduplicationPort(Protocol):
    """Record of handled events of one group of consumers that share the work; each group has its own.

    Any number of threads, processes and machines may use it at once. Time is the store's own. Every method
    raises `ProcessedEventsUnavailableError` if the store is unreachable or full, or fails.
    """

    @abstractmethod
    def acquire(
        self, keys: Sequence[EventKey], /, *, lease_seconds: float
    ) -> tuple[ProcessingLease | LeaseStatus, ...]:
        """Lease each event for `lease_seconds`, unless it is in progress or completed.

        An expired lease (its owner died) does not count, nor does a record past its retention. The second
        occurrence of a key in `keys` is `IN_PROGRESS`.

        Returns:
            A lease or a status for each key, in their order.
        """
        ...

    @abstractmethod
    def statuses(self, detail_type: str, interaction_ids: Collection[UUID], /) -> Mapping[UUID, LeaseStatus]:
        """Return the status of events of one type without leasing them: `IN_PROGRESS` or `COMPLETED`.

        All replays of an event count, and one that is in progress counts first. Events that are neither, or
        are expired, are missing in the answer.
        """
        ...

    @abstractmethod
    def renew(self, leases: Sequence[ProcessingLease], /, *, lease_seconds: float) -> int:
        """Let leases expire `lease_seconds` from now; a stale lease changes nothing.

        Returns:
            The number of leases that were renewed.
        """
        ...

    @abstractmethod
    def complete(self, leases: Sequence[ProcessingLease], /, *, retention_seconds: float) -> None:
        """Record events as handled, for `retention_seconds` from now.

        A stale lease is recorded, too: its event was handled.
        """
        ...

    @abstractmethod
    def release(self, leases: Sequence[ProcessingLease], /) -> None:
        """End leases, so that others may handle the events; a stale or completed lease changes nothing."""
        ...

    @abstractmethod
    def prune(self) -> int:
        """Delete the expired records of every group; `acquire` ignores them anyway.

        Returns:
            The number of deleted records.
        """
        ...
