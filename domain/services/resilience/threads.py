"""Threads of their own for slow work: it must not take those that everything else shares."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def in_threads(
    threads: Executor, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> "asyncio.Future[R]":
    """Run a blocking call in some threads, as `asyncio.to_thread` does in those of the event loop."""
    call = partial(copy_context().run, work, *args, **kwargs)
    return asyncio.get_running_loop().run_in_executor(threads, call)
