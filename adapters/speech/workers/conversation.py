"""The talk with one worker process over its pipes, and its end."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

from adapters.speech.workers.protocol import (
    MAX_LINE_BYTES,
    Advanced,
    Failed,
    Finished,
    Job,
    Ready,
    parse_message,
)
from adapters.speech.workers.sandbox import worker_environment
from domain.model.errors import TranscriberCrashedError


async def spawn(engine: str) -> Process:
    """Start a worker process in a session of its own; it says by its first message how loading went.

    Raises:
        OSError: no process could be made.
    """
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "adapters.speech.workers.main", engine),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env=worker_environment(os.environ),
        cwd="/",
        start_new_session=True,
        limit=MAX_LINE_BYTES,
    )


async def send(process: Process, job: Job) -> None:
    """Hand over a job; that the process is dead, reading its answer will tell."""
    assert process.stdin is not None  # noqa: S101 - it was asked for
    with contextlib.suppress(ConnectionError):
        process.stdin.write(job.to_line())
        await process.stdin.drain()


async def next_message(process: Process) -> Ready | Advanced | Finished | Failed:
    """Wait for what the process says next.

    Raises:
        TranscriberCrashedError: it died, or talks nonsense and was ended; the message says which.
    """
    assert process.stdout is not None  # noqa: S101 - it was asked for
    try:
        line = await process.stdout.readline()
        if line.endswith(b"\n"):
            return parse_message(line)
    except ValueError as error:  # longer than the limit, or none of our messages: it can no longer be trusted
        await end(process)
        raise TranscriberCrashedError("The transcriber answered nonsense and was ended.") from error
    await end(process)
    raise died(process)


async def end(process: Process) -> None:
    """Kill the process and all it started; it holds nothing that is worth an orderly end."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def died(process: Process) -> TranscriberCrashedError:
    """What became of a process that is no more."""
    status = process.returncode or 0
    how = f"exit status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"
    return TranscriberCrashedError(f"The transcriber's process died ({how}).")
