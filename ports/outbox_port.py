"""Outbox port: stores events until the bus has accepted them."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from domain.model.events.sent import StoredEvent
from domain.model.outbox import EventLease, EventStatus, OutboxCounts, OutboxRecord, OutboxState, Outcome


class OutboxPort(Protocol):
    """Durable, shared store of events on their way to the bus.

    An event that `add` returned for survives a crash of the process and of the machine. Any number of
    threads, processes and machines may use the store at once. Time is the store's own, so differing or
    jumping clocks do no harm: leases and delays that end more than `MAX_WAIT_SECONDS` ahead count as ended.
    Every method raises `OutboxUnavailableError` if the store cannot be reached, is full or fails; then
    nothing may have been recorded.
    """

    @abstractmethod
    def add(
        self, event: StoredEvent, /, *, lease_seconds: float = 0.0, traceparent: str | None = None
    ) -> EventLease:
        """Store an event durably, leased to the caller for `lease_seconds` (0: it may be leased at once).

        The trace context is stored with the event, and every later lease of the event has it. An event that
        is stored already is left unchanged; the returned lease then has a stale token.

        Raises:
            InteractionIdTakenError: the `interaction_id` is that of another stored event, or of an event
                that was published and has lost its transcripts.
        """
        ...

    @abstractmethod
    def lease_due(self, limit: int, /, *, lease_seconds: float) -> tuple[EventLease, ...]:
        """Lease up to `limit` waiting events that are due and not leased, those due longest first.

        No other caller gets them before the lease expires. The token of an expired lease is stale as soon as
        the event is leased again.
        """
        ...

    @abstractmethod
    def record(self, outcomes: Sequence[Outcome], /) -> int:
        """Record the outcomes of leases in one transaction, and end the leases.

        Stale tokens change nothing. Published events keep their record, and lose their transcripts at once,
        unless the outbox is configured to keep those for some days.

        Returns:
            The number of outcomes that counted.
        """
        ...

    @abstractmethod
    def counts(self) -> OutboxCounts:
        """Count the events in each state."""
        ...

    @abstractmethod
    def seconds_until_due(self) -> float | None:
        """Return the seconds until the next waiting event may be leased: 0 for now; None if none waits."""
        ...

    @abstractmethod
    def find(self, interaction_id: UUID, /) -> OutboxRecord | None:
        """Return the record of one event; None if there is none."""
        ...

    @abstractmethod
    def statuses(self, interaction_ids: Sequence[UUID], /) -> Mapping[UUID, EventStatus]:
        """Return the states of those of the events that are there, in one question."""
        ...

    @abstractmethod
    def records(self, state: OutboxState | None = None, /, *, limit: int = 100) -> tuple[OutboxRecord, ...]:
        """Return the records in one state, or in any; those added last first."""
        ...

    @abstractmethod
    def retry(self, interaction_ids: Sequence[UUID] | None = None, /) -> int:
        """Make events due at once: rejected ones wait again, and waiting ones wait no longer.

        Args:
            interaction_ids: the events; None for all rejected ones.

        Returns:
            The number of those events.
        """
        ...

    @abstractmethod
    def purge_payloads(self, limit: int, /) -> int:
        """Delete the transcripts of up to `limit` published events that were kept for the configured time.

        The records remain, and so do the transcripts of events that are not published.

        Returns:
            The number of those events; fewer than `limit` if none is left to purge now.
        """
        ...

    @abstractmethod
    def prune(self, *, older_than_days: float, rejected: bool = False) -> int:
        """Delete published events older than that, in small batches; rejected events too, if asked.

        Waiting events are never deleted.

        Returns:
            The number of deleted events.
        """
        ...
