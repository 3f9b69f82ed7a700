"""Messages between the service and one worker process, over its pipes."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process, SubprocessStreamProtocol

from adapters.speech.playback.pieces import CopyPiece
from adapters.speech.workers.cpu_budget import CPU_SECONDS_PER_AUDIO_SECOND
from adapters.speech.workers.program import Program
from adapters.speech.workers.protocol import (
    MAX_LINE_BYTES,
    Advanced,
    Copied,
    CopyJob,
    CopyMade,
    Cut,
    Failed,
    Job,
    ReadJob,
    ReadToEnd,
    Ready,
    Recognised,
    UnitJob,
    parse_message,
)
from adapters.speech.workers.sandbox import worker_environment
from domain.model.errors import TranscriberCrashedError, TranscriptionError, TranscriptionTooCostlyError
from domain.model.speech import SpeechUnit

Answer = Ready | Advanced | SpeechUnit | ReadToEnd | CopyPiece | CopyMade | Recognised
"""What a worker says when nothing failed."""


class WorkerSubprocess(Process):
    """Process of a worker, whose pipes can be closed before it ended."""

    def __init__(
        self,
        transport: asyncio.SubprocessTransport,
        protocol: SubprocessStreamProtocol,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(transport, protocol, loop)
        self._pipes = [transport.get_pipe_transport(fd) for fd in (0, 1)]

    def close_pipes(self) -> None:
        """Close both pipes, and drop what is in them.

        Up to Python 3.13.0 `wait` waits for their end as well, which does not come while a pipe is full and
        not read, nor while a child of the process holds it open.
        """
        for pipe in self._pipes:
            if pipe is None or pipe.is_closing():
                continue
            if isinstance(pipe, asyncio.WriteTransport):
                pipe.abort()
            else:
                pipe.close()


async def spawn(program: Program, python: str) -> WorkerSubprocess:
    """Start a worker process in a new session; its first message says whether it works.

    Raises:
        OSError: the process could not be created.
    """
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.subprocess_exec(
        lambda: SubprocessStreamProtocol(limit=MAX_LINE_BYTES, loop=loop),
        *(python, "-P", "-m", "adapters.speech.workers.main", program.model_dump_json()),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env=worker_environment(os.environ),
        cwd="/",
        start_new_session=True,
    )
    return WorkerSubprocess(transport, protocol, loop)


def send(process: WorkerSubprocess, job: Job, samples: bytes) -> None:
    """Send a job without waiting until the process takes it.

    A process that does not take it gives no sign of life, and `next_message` reports a dead one.
    """
    assert process.stdin is not None  # noqa: S101 - `spawn` asked for a pipe
    process.stdin.write(job.to_line() + samples)


async def next_message(process: WorkerSubprocess) -> Answer | Failed:
    """Wait for the next message of the process.

    Raises:
        TranscriptionTooCostlyError: the process used up its processor time.
        TranscriberCrashedError: the process died otherwise, or was killed for an invalid message.
    """
    assert process.stdout is not None  # noqa: S101 - `spawn` asked for a pipe
    try:
        line = await process.stdout.readline()
        if line.endswith(b"\n"):
            message = parse_message(line)
            if not isinstance(message, Cut | Copied):
                return message
            return message.with_samples(await process.stdout.readexactly(message.size))
    except asyncio.IncompleteReadError:
        pass  # it died between the line and its samples
    except ValueError as error:  # longer than the limit, or no valid message: the process cannot be trusted
        await end(process)
        raise TranscriberCrashedError("The transcriber sent an invalid message and was killed.") from error
    await end(process)
    raise died(process)


def is_last(answer: Answer, job: Job) -> bool:
    """Check whether an answer is the last one to a job.

    Raises:
        TranscriberCrashedError: it is no answer to such a job.
    """
    match job, answer:
        case (ReadJob(), ReadToEnd()) | (CopyJob(), CopyMade()) | (UnitJob(), Recognised()):
            return True
        case (ReadJob(), Advanced() | SpeechUnit()) | (CopyJob(), Advanced() | CopyPiece()):
            return False
    raise TranscriberCrashedError("The transcriber sent a message out of turn and was killed.")


async def end(process: WorkerSubprocess) -> None:
    """Kill the process and its children; a worker has no state to save."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.close_pipes()
    await process.wait()


def died(process: WorkerSubprocess) -> TranscriptionError:
    """Describe the end of a process as an error."""
    status = process.returncode or 0
    if status == -signal.SIGXCPU:
        return TranscriptionTooCostlyError(
            f"The recording takes more than {CPU_SECONDS_PER_AUDIO_SECOND:g} s of processor time per second "
            "of sound, and was given up; it may hold noise rather than speech."
        )
    how = f"exit status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"
    return TranscriberCrashedError(f"The transcriber's process died ({how}).")
