"""Pool of threads: the end of a task has Celery look for the next message."""

from collections.abc import Callable, Iterator
from threading import Event

import pytest
from kombu.asynchronous import get_event_loop, set_event_loop

from adapters.celery.pool import WakingThreadPool


class SleepingLoop:
    """Event loop that sleeps until it is called."""

    def __init__(self) -> None:
        self.is_awake = Event()

    def call_soon(self, callback: Callable[[], object]) -> None:
        callback()
        self.is_awake.set()


@pytest.fixture
def loop() -> Iterator[SleepingLoop]:
    before, loop = get_event_loop(), SleepingLoop()
    set_event_loop(loop)
    yield loop
    set_event_loop(before)


@pytest.fixture
def pool() -> Iterator[WakingThreadPool]:
    pool = WakingThreadPool(limit=1)
    yield pool
    pool.on_stop()


def test_the_end_of_a_task_wakes_the_loop(loop: SleepingLoop, pool: WakingThreadPool) -> None:
    pool.on_apply(lambda: None, (), {}, callback=lambda _: None)

    assert loop.is_awake.wait(60)


def test_a_task_that_fails_wakes_the_loop(loop: SleepingLoop, pool: WakingThreadPool) -> None:
    def fail() -> None:
        raise OSError

    pool.on_apply(fail, (), {}, callback=lambda _: None)

    assert loop.is_awake.wait(60)


def test_the_loop_sleeps_until_the_task_has_left_the_count(
    loop: SleepingLoop, pool: WakingThreadPool
) -> None:
    awake_when_counted = list[bool]()

    pool.on_apply(lambda: None, (), {}, callback=lambda _: awake_when_counted.append(loop.is_awake.is_set()))

    assert loop.is_awake.wait(60)
    assert awake_when_counted == [False]


def test_a_pool_without_a_loop_works(pool: WakingThreadPool) -> None:
    before = get_event_loop()
    set_event_loop(None)
    ended = Event()

    pool.on_apply(ended.set, (), {}, callback=lambda _: None)

    assert ended.wait(60)
    set_event_loop(before)
