"""Event loop on a thread of its own, for clients that need one."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

CLOSE_SECONDS = 5.0
"""Longest wait for the end of the thread."""


class NoEventLoopError(Exception):
    """Failure to start the event loop: the process has no file descriptor or no thread left."""


class _Running(NamedTuple):
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    thread: Thread


class EventLoopThread:
    """Runs coroutines for other threads; starts with the first of them, and ends with the process."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._starting = Lock()
        self._running: _Running | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine, and wait for its result; from any other thread.

        Raises:
            NoEventLoopError: the thread did not start, so that nothing has run; the next call tries again.
        """
        try:
            running = self._started()
        except BaseException:
            coroutine.close()
            raise
        return asyncio.run_coroutine_threadsafe(coroutine, running.loop).result()

    def close(self) -> None:
        """End the thread."""
        if self._running is not None:
            self._running.loop.call_soon_threadsafe(self._running.stop.set)
            self._running.thread.join(CLOSE_SECONDS)

    def _started(self) -> _Running:
        with self._starting:
            running = self._running = self._running or self._start()
            return running

    def _start(self) -> _Running:
        stop = asyncio.Event()
        started: Future[asyncio.AbstractEventLoop] = Future()
        thread = Thread(target=_run, args=(started, stop), name=self._name, daemon=True)
        try:
            thread.start()
            return _Running(started.result(), stop, thread)
        except (OSError, RuntimeError) as error:
            raise NoEventLoopError(f"no event loop for {self._name}: {error}") from error


def _run(started: Future[asyncio.AbstractEventLoop], stop: asyncio.Event) -> None:
    try:
        with asyncio.Runner() as runner:
            runner.get_loop()  # fails where the process has no file descriptor left
            runner.run(_serve(started, stop))
    except BaseException as error:
        if started.done():
            raise
        started.set_exception(error)


async def _serve(started: Future[asyncio.AbstractEventLoop], stop: asyncio.Event) -> None:
    started.set_result(asyncio.get_running_loop())
    await stop.wait()
