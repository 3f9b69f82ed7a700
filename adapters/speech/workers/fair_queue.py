"""Queue in which recordings take turns: a long one does not keep a short one waiting."""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator

from adapters.speech.workers.process import WorkerProcess

Turn = asyncio.Future[WorkerProcess]


class FairQueue:
    """Hands out idle processes to the waiting units of all recordings, one recording after the other."""

    def __init__(self, idle: asyncio.LifoQueue[WorkerProcess]) -> None:
        self._idle = idle
        self._waiting: OrderedDict[object, deque[Turn]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def turn(self, recording: object) -> AsyncIterator[WorkerProcess]:
        """Wait for the recording's turn and an idle process, the caller's while the context lasts."""
        turn: Turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(recording, deque()).append(turn)
        self._hand_out()
        try:
            worker = await turn
        except asyncio.CancelledError:
            self._withdraw(recording, turn)
            raise
        try:
            yield worker
        finally:
            self._return(worker)

    def _hand_out(self) -> None:
        while self._waiting and not self._idle.empty():
            recording, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[recording] = turns  # behind the others
            if not turn.done():
                turn.set_result(self._idle.get_nowait())

    def _withdraw(self, recording: object, turn: Turn) -> None:
        if turn.done() and not turn.cancelled():
            self._return(turn.result())
        elif turn in (turns := self._waiting.get(recording, deque())):
            turns.remove(turn)
            if not turns:
                del self._waiting[recording]

    def _return(self, worker: WorkerProcess) -> None:
        self._idle.put_nowait(worker)
        self._hand_out()
