"""Event loop of a client of brokers: a failure to start it reaches the caller; the next call tries again."""

import asyncio
import errno
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from adapters.brokers.event_loop import EventLoopThread, NoEventLoopError


def no_descriptor() -> Any:
    raise OSError(errno.EMFILE, "Too many open files")


def no_thread(_thread: Thread) -> None:
    raise RuntimeError("can't start new thread")


async def an_answer() -> str:
    return "answer"


@pytest.fixture
def thread() -> Iterator[EventLoopThread]:
    thread = EventLoopThread("events to a broker")
    yield thread
    thread.close()


@pytest.mark.parametrize(
    ("place", "name", "broken", "reason"),
    [
        (asyncio.events, "new_event_loop", no_descriptor, "Too many open files"),
        (Thread, "start", no_thread, "can't start new thread"),
    ],
    ids=["no file descriptor", "no thread"],
)
def test_a_loop_that_does_not_start_fails_the_call_and_not_the_next_one(
    thread: EventLoopThread, place: object, name: str, broken: object, reason: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, name, broken)
        for _ in range(2):
            with pytest.raises(NoEventLoopError, match=f"events to a broker: .*{reason}"):
                thread.run(an_answer())

    assert thread.run(an_answer()) == "answer"


def test_errors_of_a_coroutine_reach_its_caller(thread: EventLoopThread) -> None:
    async def failing() -> None:
        raise OSError("of the coroutine")

    with pytest.raises(OSError, match="of the coroutine"):
        thread.run(failing())

    assert thread.run(an_answer()) == "answer"
