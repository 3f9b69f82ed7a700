"""Queue in which recordings take turns: a long one does not keep a short one waiting."""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Generic, TypeVar

Place = TypeVar("Place")
"""A place in which one job is done at a time: a process, or the permission to send a request."""


class FairQueue(Generic[Place]):
    """Hands out places to the waiting jobs of all recordings, one recording after the other."""

    def __init__(
        self,
        places: Iterable[Place],
        *,
        # picks one of the idle places, of which the last was used last; None: none may be handed out now
        choose: Callable[[Sequence[Place]], Place | None] | None = None,
    ) -> None:
        self._choose = choose or _latest
        self._idle = [*reversed(tuple(places))]
        self._waiting: OrderedDict[object, deque[asyncio.Future[Place]]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def turn(self, recording: object) -> AsyncIterator[Place]:
        """Wait for the recording's turn and a place, the caller's while the context lasts."""
        turn: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(recording, deque()).append(turn)
        self.hand_out()
        try:
            place = await turn
        except asyncio.CancelledError:
            self._withdraw(recording, turn)
            raise
        try:
            yield place
        finally:
            self._return(place)

    def hand_out(self) -> None:
        """Give the places that may be handed out to the jobs that wait for one."""
        while self._waiting and self._idle and (place := self._choose(self._idle)) is not None:
            turn = self._next_turn()
            if not turn.done():
                self._idle.remove(place)
                turn.set_result(place)

    def _next_turn(self) -> asyncio.Future[Place]:
        recording, turns = self._waiting.popitem(last=False)
        turn = turns.popleft()
        if turns:
            self._waiting[recording] = turns  # behind the others
        return turn

    def _withdraw(self, recording: object, turn: asyncio.Future[Place]) -> None:
        if turn.done() and not turn.cancelled():
            self._return(turn.result())
        elif turn in (turns := self._waiting.get(recording, deque())):
            turns.remove(turn)
            if not turns:
                del self._waiting[recording]

    def _return(self, place: Place) -> None:
        self._idle.append(place)
        self.hand_out()


def _latest(idle: Sequence[Place]) -> Place:
    return idle[-1]
