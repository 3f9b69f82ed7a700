"""Port for the queue service's own move of a whole dead-letter queue."""

from abc import abstractmethod
from typing import NamedTuple, Protocol


class MoveProgress(NamedTuple):
    """Progress of a move.

    Attributes:
        moved: approximate number of messages moved so far.
        total: approximate number at the start; None where the service does not report it.
        problem: the reason why the move ended early; empty where it did not.
    """

    running: bool
    moved: int
    total: int | None = None
    problem: str = ""


class MoveTaskPort(Protocol):
    """Moves all messages of the dead-letter queue to the queue within the queue service.

    Each message is in one of the two queues at every moment. The move includes messages that arrive
    meanwhile, so that it may never end where messages come straight back.
    """

    @abstractmethod
    def start(self) -> None:
        """Start the move.

        Raises:
            InfrastructureError: the move was not started: unsupported, denied, or already running.
        """
        ...

    @abstractmethod
    def progress(self) -> MoveProgress:
        """Return the progress of the move.

        Raises:
            InfrastructureError: the progress cannot be read.
        """
        ...

    @abstractmethod
    def cancel(self) -> None:
        """Cancel the move if it is running; moved messages stay in the queue. Never raises."""
        ...
