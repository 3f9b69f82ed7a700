"""Queue for worker processes in which recordings take turns: a long one does not keep a short one waiting."""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Sequence

from adapters.speech.workers.process import WorkerProcess

Turn = asyncio.Future[WorkerProcess]


class FairQueue:
    """Hands out processes to the waiting jobs of all recordings, one recording after the other.

    Only processes that are ready are handed out. Where none is, one job gets one that is not: it waits for
    the start, or learns why that fails.
    """

    def __init__(self, workers: Sequence[WorkerProcess]) -> None:
        self._workers = tuple(workers)
        self._idle = [*reversed(self._workers)]  # the one used last is used next
        self._waiting: OrderedDict[object, deque[Turn]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def turn(self, recording: object) -> AsyncIterator[WorkerProcess]:
        """Wait for the recording's turn and a process, the caller's while the context lasts."""
        turn: Turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(recording, deque()).append(turn)
        self.hand_out()
        try:
            worker = await turn
        except asyncio.CancelledError:
            self._withdraw(recording, turn)
            raise
        try:
            yield worker
        finally:
            self._return(worker)

    def hand_out(self) -> None:
        """Give the processes that are free and ready to the jobs that wait for one."""
        while self._waiting and (worker := self._next_worker()) is not None:
            turn = self._next_turn()
            if not turn.done():
                self._idle.remove(worker)
                turn.set_result(worker)

    def _next_worker(self) -> WorkerProcess | None:
        ready = [worker for worker in self._idle if worker.pid is not None]
        if ready:
            return ready[-1]
        # one that is at work and not ready is being started
        return self._idle[-1] if len(self._idle) == len(self._workers) else None

    def _next_turn(self) -> Turn:
        recording, turns = self._waiting.popitem(last=False)
        turn = turns.popleft()
        if turns:
            self._waiting[recording] = turns  # behind the others
        return turn

    def _withdraw(self, recording: object, turn: Turn) -> None:
        if turn.done() and not turn.cancelled():
            self._return(turn.result())
        elif turn in (turns := self._waiting.get(recording, deque())):
            turns.remove(turn)
            if not turns:
                del self._waiting[recording]

    def _return(self, worker: WorkerProcess) -> None:
        self._idle.append(worker)
        self.hand_out()
