"""How events of the past are sent down the route once more."""

from abc import abstractmethod
from typing import Protocol

from domain.model.replays import Replay, ReplayRequest


class ReplayPort(Protocol):
    """Replays of the archived events, down our route and no other.

    Each replay has a name that no other one has. Its events carry that name. Methods raise
    `InfrastructureError` where the archive, the route or the replay is missing, or may not be used.
    """

    @abstractmethod
    def start(self, request: ReplayRequest, /) -> str:
        """Begin a replay, which then runs by itself; answers its name.

        Nothing is left behind where it cannot be begun.
        """
        ...

    @abstractmethod
    def look(self, name: str, /) -> Replay:
        """Say how a replay stands."""
        ...

    @abstractmethod
    def cancel(self, name: str, /) -> None:
        """Stop a replay soon; what it has sent stays sent."""
        ...

    @abstractmethod
    def clean_up(self, name: str, /) -> None:
        """Remove what a replay needed, once it is over; the bus forgets the replay itself in time."""
        ...

    @abstractmethod
    def tidy(self) -> tuple[str, ...]:
        """Clean up after all that have been over for a while; answers their names. Those that run go on."""
        ...
