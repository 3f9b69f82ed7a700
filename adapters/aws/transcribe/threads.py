"""Blocking calls in threads of their own: uploads take minutes, and must not take the threads of others."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class Threads:
    """Runs blocking calls; a cancelled caller waits for the end of its call, which nothing can take back."""

    def __init__(self, count: int) -> None:
        self._executor = ThreadPoolExecutor(count, thread_name_prefix="transcribe")

    async def run(
        self, call: Callable[[], Result], *, on_cancel: Callable[[], None] = lambda: None
    ) -> Result:
        """Run a call, and return its result.

        Where the caller is cancelled, `on_cancel` may hasten the end of the call. What the call has done by
        then is known to be done, so that it can be undone.
        """
        work = asyncio.get_running_loop().run_in_executor(self._executor, call)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            on_cancel()
            while not work.done():
                with contextlib.suppress(asyncio.CancelledError):  # the first one is raised below
                    await asyncio.wait([work])
            if not work.cancelled() and (error := work.exception()) is not None:
                logger.info("call ended after its caller", extra={"error": type(error).__name__})
            raise

    def close(self) -> None:
        """End the threads, without waiting for calls in progress."""
        self._executor.shutdown(wait=False, cancel_futures=True)
