"""Where events are kept until the bus has accepted them."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from domain.model.events.event import BatchProcessingCompleted
from domain.model.outbox import EventLease, OutboxCounts, OutboxRecord, OutboxState, Outcome


class OutboxPort(Protocol):
    """A durable, shared set of events on their way to the bus.

    What `add` returned for survives a crash of the process and of the machine. Any number of threads,
    processes and machines may use it at once. Time is the store's own, so that clocks which differ or jump do
    no harm: leases and delays that lie more than `MAX_WAIT_SECONDS` ahead are over. Every method raises
    `OutboxUnavailableError` where the store cannot be reached, is full or fails; then nothing is known to
    have been recorded.
    """

    @abstractmethod
    def add(self, event: BatchProcessingCompleted, /, *, lease_seconds: float = 0.0) -> EventLease:
        """Keep an event durably, leased for `lease_seconds` by whoever adds it (0: anybody may lease it).

        An event that is kept already, told by its `interaction_id`, is left as it is; the lease then holds a
        token that changes nothing.
        """
        ...

    @abstractmethod
    def lease_due(self, limit: int, /, *, lease_seconds: float) -> tuple[EventLease, ...]:
        """Borrow up to `limit` waiting events that are due and that nobody holds, those due longest first.

        Nobody else gets them before the lease ends. The token of a lease that ended is stale as soon as
        somebody else has leased the event.
        """
        ...

    @abstractmethod
    def record(self, outcomes: Sequence[Outcome], /) -> int:
        """Write down what became of leases, all in one transaction; ends their leases.

        Stale tokens change nothing. Published events keep their record, and lose their texts at once, unless
        the outbox was told to keep those for some days.

        Returns:
            How many of the outcomes counted.
        """
        ...

    @abstractmethod
    def counts(self) -> OutboxCounts:
        """How many events stand where, and how old the oldest waiting one is."""
        ...

    @abstractmethod
    def seconds_until_due(self) -> float | None:
        """When the next waiting event may be leased: 0 for now; None where none waits."""
        ...

    @abstractmethod
    def find(self, interaction_id: UUID, /) -> OutboxRecord | None:
        """The record of one event."""
        ...

    @abstractmethod
    def records(self, state: OutboxState | None = None, /, *, limit: int = 100) -> tuple[OutboxRecord, ...]:
        """The records in one state, or in any; those added last first."""
        ...

    @abstractmethod
    def retry(self, interaction_ids: Sequence[UUID] | None = None, /) -> int:
        """Make events due at once: rejected ones wait again, and waiting ones wait no longer.

        Args:
            interaction_ids: which; None for everything that is rejected.

        Returns:
            How many that were.
        """
        ...

    @abstractmethod
    def purge_payloads(self, limit: int, /) -> int:
        """Drop the texts of up to `limit` published events that have been kept for long enough.

        Their records are kept, and so are the texts of whatever is not published.

        Returns:
            How many events that were; fewer than `limit` once nothing more is to be dropped now.
        """
        ...

    @abstractmethod
    def prune(self, *, older_than_days: float, rejected: bool = False) -> int:
        """Forget what was published before then, in small batches, and what was rejected, if asked.

        Waiting events are never forgotten.

        Returns:
            How many that were.
        """
        ...
