"""Port for replays of archived events."""

from abc import abstractmethod
from typing import Protocol

from domain.model.replays import Replay, ReplayRequest


class ReplayPort(Protocol):
    """Replays of archived events through our route and no other.

    Each replay has a unique name, which its events carry. Methods raise `InfrastructureError` where the
    archive, the route or the replay is missing or access is denied.
    """

    @abstractmethod
    def start(self, request: ReplayRequest, /) -> str:
        """Start a replay, which then runs by itself; return its name.

        A replay that cannot be started leaves no resource behind.
        """
        ...

    @abstractmethod
    def look(self, name: str, /) -> Replay:
        """Return the state of a replay."""
        ...

    @abstractmethod
    def cancel(self, name: str, /) -> None:
        """Stop a replay soon; events already sent stay in the queue."""
        ...

    @abstractmethod
    def clean_up(self, name: str, /) -> None:
        """Remove the resources of a finished replay; the bus deletes the replay itself in time."""
        ...

    @abstractmethod
    def tidy(self) -> tuple[str, ...]:
        """Clean up after replays that ended a while ago; return their names. Running replays continue."""
        ...
