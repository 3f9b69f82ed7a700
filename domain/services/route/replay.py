"""Replays of archived events through the route, and their clean-up."""

import time
from collections.abc import Callable, Iterator

from domain.model.replays import SETTLE_SECONDS, Replay, ReplayRequest
from ports.replay_port import ReplayPort

LOOK_EVERY_SECONDS = 2.0


class EventReplayService:
    """Starts replays, follows them to their end, and removes their resources.

    The next replay cleans up after a replay that was not followed to its end.
    """

    def __init__(self, replays: ReplayPort, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._replays = replays
        self._pause = pause

    def start(self, request: ReplayRequest) -> str:
        """Start a replay; return its name.

        Raises:
            InfrastructureError: the replay cannot be started; no resource of it is left behind.
        """
        self._replays.tidy()
        return self._replays.start(request)

    def follow(self, name: str) -> Iterator[Replay]:
        """Yield the state of a replay repeatedly until its end; then clean up.

        Raises:
            InfrastructureError: the replay cannot be read, or its clean-up failed.
        """
        while not (replay := self._replays.look(name)).state.is_over:
            yield replay
            self._pause(LOOK_EVERY_SECONDS)
        yield replay
        self._pause(SETTLE_SECONDS)
        self._replays.clean_up(name)

    def cancel(self, name: str) -> Replay:
        """Stop a replay; return its state. Events already sent stay in the queue.

        Raises:
            InfrastructureError: the replay does not exist, or is not running any more.
        """
        self._replays.cancel(name)
        return self._replays.look(name)
