import asyncio

import pytest

from adapters.fair_queue import FairQueue


async def test_recordings_take_turns_however_many_units_each_has_in_line() -> None:
    queue, order = FairQueue(range(1)), list[str]()

    async def work(recording: str) -> None:
        async with queue.turn(recording):
            await asyncio.sleep(0)
            order.append(recording)

    await asyncio.gather(*(work(recording) for recording in ["long"] * 5 + ["short"] * 2))

    assert order[:5].count("short") == 2


async def test_no_more_units_are_at_work_than_there_are_places() -> None:
    queue, at_work, most = FairQueue(range(2)), set[int](), 0

    async def work(unit: int) -> None:
        nonlocal most
        async with queue.turn("recording") as place:
            assert place not in at_work, f"unit {unit} shares its place"
            at_work.add(place)
            most = max(most, len(at_work))
            await asyncio.sleep(0)
            at_work.remove(place)

    await asyncio.gather(*map(work, range(7)))

    assert most == 2


async def test_a_unit_that_is_withdrawn_while_it_waits_takes_no_place() -> None:
    queue = FairQueue(range(1))
    async with queue.turn("first"):
        waiting = asyncio.ensure_future(_work(queue))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    await _work(queue)


async def test_a_unit_that_is_withdrawn_as_its_turn_comes_gives_the_place_back() -> None:
    queue = FairQueue(range(1))
    async with queue.turn("first"):
        next_one = asyncio.ensure_future(_work(queue))
        await asyncio.sleep(0)
    next_one.cancel()  # the place is its own by now, but it did not run yet
    with pytest.raises(asyncio.CancelledError):
        await next_one

    await _work(queue)


async def test_a_unit_that_fails_gives_its_place_back() -> None:
    queue = FairQueue(range(1))

    with pytest.raises(LookupError):
        async with queue.turn("first"):
            raise LookupError

    await _work(queue)


async def _work(queue: FairQueue[int]) -> None:
    async with queue.turn("another"):
        pass
