"""How a consumer remembers what it has worked off."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from domain.model.consuming.lease import EventKey, Hold, Standing


class ProcessedEventsPort(Protocol):
    """The memory of one group of consumers, who share the work; other groups have theirs.

    Any number of threads, processes and machines may use it at once. Time is the store's own. Every method
    raises `ProcessedEventsUnavailableError` where the store cannot be reached, is full or fails.
    """

    @abstractmethod
    def claim(self, keys: Sequence[EventKey], /, *, lease_seconds: float) -> tuple[Hold | Standing, ...]:
        """Get the right to work events off, each for `lease_seconds`, or learn why not.

        A hold whose lease ran out (its owner died) does not count any more, nor does what is remembered for
        longer than was asked. Of a key that is named twice, the second is `TAKEN`.

        Returns:
            An entry for each key, in their order.
        """
        ...

    @abstractmethod
    def renew(self, holds: Sequence[Hold], /, *, lease_seconds: float) -> int:
        """Go on holding, for so long from now.

        Returns:
            How many of them still counted; a stale one changes nothing.
        """
        ...

    @abstractmethod
    def finish(self, holds: Sequence[Hold], /, *, remember_seconds: float) -> None:
        """Remember that these were worked off, from now on.

        Also where a hold is stale: the work is done, whoever has the right to it by now.
        """
        ...

    @abstractmethod
    def give_up(self, holds: Sequence[Hold], /) -> None:
        """Let others work them off at once; a stale or finished hold changes nothing."""
        ...

    @abstractmethod
    def prune(self) -> int:
        """Erase what is forgotten, of every group; `claim` does not depend on it.

        Returns:
            How many events that were.
        """
        ...
