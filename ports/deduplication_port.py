"""How a consumer remembers what it has worked off."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from domain.model.consuming.lease import EventKey, LeaseStatus, ProcessingLease


class DeduplicationPort(Protocol):
    """The memory of one group of consumers, who share the work; other groups have theirs.

    Any number of threads, processes and machines may use it at once. Time is the store's own. Every method
    raises `ProcessedEventsUnavailableError` where the store cannot be reached, is full or fails.
    """

    @abstractmethod
    def acquire(
        self, keys: Sequence[EventKey], /, *, lease_seconds: float
    ) -> tuple[ProcessingLease | LeaseStatus, ...]:
        """Get the right to work events off, each for `lease_seconds`, or learn why not.

        An expired lease (its owner died) does not count any more, nor does what is remembered for
        longer than was asked. Of a key that is named twice, the second is `IN_PROGRESS`.

        Returns:
            An entry for each key, in their order.
        """
        ...

    @abstractmethod
    def renew(self, leases: Sequence[ProcessingLease], /, *, lease_seconds: float) -> int:
        """Go on holding, for so long from now.

        Returns:
            How many of them still counted; a stale one changes nothing.
        """
        ...

    @abstractmethod
    def complete(self, leases: Sequence[ProcessingLease], /, *, retention_seconds: float) -> None:
        """Remember that these were worked off, from now on.

        Also where a lease is stale: the work is done, whoever has the right to it by now.
        """
        ...

    @abstractmethod
    def release(self, leases: Sequence[ProcessingLease], /) -> None:
        """Let others work them off at once; a stale or finished lease changes nothing."""
        ...

    @abstractmethod
    def prune(self) -> int:
        """Erase what is forgotten, of every group; `acquire` does not depend on it.

        Returns:
            How many events that were.
        """
        ...
