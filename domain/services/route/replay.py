"""Sends events of the past down the route once more, and cleans up after it."""

import time
from collections.abc import Callable, Iterator

from domain.model.replays import SETTLE_SECONDS, Replay, ReplayRequest
from ports.replay_port import ReplayPort

LOOK_EVERY_SECONDS = 2.0


class EventReplayService:
    """Starts replays, follows them to their end, and removes what they needed.

    A replay that nobody follows to its end is cleaned up after by whichever replay comes next.
    """

    def __init__(self, replays: ReplayPort, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._replays = replays
        self._pause = pause

    def start(self, request: ReplayRequest) -> str:
        """Begin a replay; answers its name.

        Raises:
            InfrastructureError: it cannot be begun, and nothing of it was left behind.
        """
        self._replays.tidy()
        return self._replays.start(request)

    def follow(self, name: str) -> Iterator[Replay]:
        """Say how a replay stands, again and again until it is over; then clean up.

        Raises:
            InfrastructureError: it cannot be looked at, or not be cleaned up after.
        """
        while not (replay := self._replays.look(name)).state.is_over:
            yield replay
            self._pause(LOOK_EVERY_SECONDS)
        yield replay
        self._pause(SETTLE_SECONDS)
        self._replays.clean_up(name)

    def cancel(self, name: str) -> Replay:
        """Stop a replay; answers how it stands then. What it has sent stays sent.

        Raises:
            InfrastructureError: there is none of that name, or it does not run any more.
        """
        self._replays.cancel(name)
        return self._replays.look(name)
