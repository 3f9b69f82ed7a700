"""The queue for worker processes: recordings take turns, and processes that are ready go first."""

import asyncio
from collections.abc import Sequence

from adapters.fair_queue import FairQueue
from adapters.speech.workers.process import WorkerProcess
from adapters.speech.workers.worker_queue import worker_queue
from tests.support.harness.workers import CANNED, LIMITS


class Idler(WorkerProcess):
    """Worker without a process, which is ready when a test says so."""

    def __init__(self, *, ready: bool = True) -> None:
        super().__init__(CANNED, LIMITS)
        self.ready = ready

    @property
    def pid(self) -> int | None:
        return 1 if self.ready else None


class Visitors:
    """Jobs that hold a process until a test lets them go."""

    def __init__(self, queue: FairQueue[WorkerProcess]) -> None:
        self._queue = queue
        self._leave: list[asyncio.Event] = []
        self.held: list[tuple[object, WorkerProcess]] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def come(self, *recordings: object) -> Sequence["asyncio.Task[None]"]:
        """Let a job of each recording wait for a process; return when they stand in line."""
        came = [asyncio.ensure_future(self._visit(recording)) for recording in recordings]
        self._tasks += came
        await settled()
        return came

    async def leave(self, count: int = 1) -> None:
        """Give back the processes that are held longest."""
        for event in self._leave[:count]:
            event.set()
        del self._leave[:count]
        await settled()

    async def leave_all(self) -> None:
        while self._leave:
            await self.leave()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def order(self) -> list[object]:
        return [recording for recording, _ in self.held]

    @property
    def workers(self) -> list[WorkerProcess]:
        return [worker for _, worker in self.held]

    async def _visit(self, recording: object) -> None:
        async with self._queue.turn(recording) as worker:
            self.held.append((recording, worker))
            event = asyncio.Event()
            self._leave.append(event)
            await event.wait()


async def settled() -> None:
    """Let all tasks run until they wait."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_recordings_take_turns_however_many_jobs_each_has_in_line() -> None:
    visitors = Visitors(worker_queue([Idler()]))
    await visitors.come("long", "long", "long", "long", "other", "other", "short")

    await visitors.leave_all()

    assert visitors.order == ["long", "long", "other", "short", "long", "other", "long"]


async def test_jobs_of_one_recording_keep_their_order_and_use_all_processes() -> None:
    workers = [Idler(), Idler()]
    visitors = Visitors(worker_queue(workers))

    await visitors.come("one", "one", "one")

    assert set(visitors.workers) == set(workers)
    await visitors.leave_all()
    assert len(visitors.workers) == 3


async def test_a_job_that_gives_up_in_line_leaves_no_gap() -> None:
    visitors = Visitors(worker_queue([Idler()]))
    _, impatient, _ = await visitors.come("one", "impatient", "last")

    impatient.cancel()
    await visitors.leave_all()

    assert visitors.order == ["one", "last"]


async def test_a_process_that_was_handed_to_a_job_that_gave_up_goes_to_the_next() -> None:
    visitors = Visitors(worker_queue([Idler()]))
    _, impatient, _ = await visitors.come("one", "impatient", "last")

    leaving = asyncio.ensure_future(visitors.leave())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    impatient.cancel()
    await leaving
    await visitors.leave_all()

    await visitors.come("next")
    await visitors.leave_all()

    assert [each for each in visitors.order if each != "impatient"] == ["one", "last", "next"]


async def test_a_process_that_is_ready_goes_first() -> None:
    first, ready = Idler(ready=False), Idler()
    visitors = Visitors(worker_queue([first, ready]))

    await visitors.come("one", "two")
    assert visitors.workers == [ready]

    await visitors.leave()
    assert visitors.workers == [ready, ready]
    await visitors.leave_all()


async def test_a_process_that_becomes_ready_is_used_at_once() -> None:
    late, ready = Idler(ready=False), Idler()
    queue = worker_queue([late, ready])
    visitors = Visitors(queue)
    await visitors.come("one", "two")

    late.ready = True
    queue.hand_out()
    await settled()

    assert visitors.workers == [ready, late]
    await visitors.leave_all()


async def test_where_no_process_is_ready_jobs_wait_for_the_start_of_the_first_alone() -> None:
    first, second = Idler(ready=False), Idler(ready=False)
    visitors = Visitors(worker_queue([first, second]))

    await visitors.come("one", "two")
    assert visitors.workers == [first]

    await visitors.leave()  # its start failed
    assert visitors.workers == [first, first]
    await visitors.leave_all()
