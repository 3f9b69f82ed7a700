"""How a queue service moves a whole dead-letter queue by itself."""

from abc import abstractmethod
from typing import NamedTuple, Protocol


class MoveProgress(NamedTuple):
    """How far a move is.

    Attributes:
        moved: how many messages so far, roughly.
        total: how many there were at the start, roughly; None where the service does not say.
        problem: why it ended early; empty where it did not.
    """

    running: bool
    moved: int
    total: int | None = None
    problem: str = ""


class MoveTaskPort(Protocol):
    """Moves every message of the dead-letter queue into the queue, without them passing through here.

    Each is in one of both queues at every moment. It takes whatever arrives meanwhile as well, so that it may
    not end by itself where messages come straight back.
    """

    @abstractmethod
    def start(self) -> None:
        """Begin to move.

        Raises:
            InfrastructureError: nothing was begun: the service cannot, will not, or is at it already.
        """
        ...

    @abstractmethod
    def progress(self) -> MoveProgress:
        """Say how far the move is that was started.

        Raises:
            InfrastructureError: it cannot be told now.
        """
        ...

    @abstractmethod
    def cancel(self) -> None:
        """End the move, if it is running; what was moved stays moved. Never raises."""
        ...
