"""One supervised worker process, seen from the service."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

from adapters.speech.protocol import MAX_LINE_BYTES, Advanced, Failed, Finished, Job, Ready, parse_message
from adapters.speech.sandbox import worker_environment
from domain.model.errors import (
    RecordingError,
    TranscriberCrashedError,
    TranscriberStalledError,
    TranscriberUnavailableError,
    TranscriptionServiceError,
)
from domain.model.transcripts import Transcript
from ports.transcriber_port import Progress, ProgressListener

logger = logging.getLogger(__name__)

START_SECONDS = 60.0
"""A cold disk may take long to hand over an engine's model."""


class WorkerProcess:
    """Runs one engine in a process of its own: one recording at a time, started anew whenever it died.

    Args:
        engine: the engine's name, see `adapters.speech.engines`.
        max_audio_seconds: the longest recording it may work on.
        stall_seconds: without a sign of life for so long, it is killed.
    """

    def __init__(self, engine: str, *, max_audio_seconds: float, stall_seconds: float) -> None:
        self._engine = engine
        self._max_audio_seconds = max_audio_seconds
        self._stall_seconds = stall_seconds
        self._process: Process | None = None
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The process, while there is one that has loaded its engine."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the process, unless it runs, and wait until its engine is loaded.

        Raises:
            TranscriberUnavailableError: it died first, or took longer than `START_SECONDS`.
        """
        async with self._starting:
            if self.pid is None:
                self._process = await self._load()
                logger.info("worker ready", extra={"worker_pid": self.pid, "engine": self._engine})

    async def run(self, recording: Path, on_progress: ProgressListener | None) -> Transcript:
        """Transcribe one recording; if the process dies, stalls or the call is cancelled, it is killed.

        Raises:
            TranscriptionServiceError: what the worker answered, or what became of it.
        """
        await self.start()
        process = self._process
        assert process is not None  # noqa: S101 - start() returned
        try:
            return await self._converse(process, recording, on_progress)
        except RecordingError:
            raise  # the recording is at fault, the worker is as good as before
        except BaseException as error:
            await self.stop()
            self._log_end(process, error)
            raise

    async def stop(self) -> None:
        """Kill the process and all it started; it holds nothing that is worth an orderly end."""
        process, self._process = self._process, None
        if process is not None:
            await _end(process)

    async def _load(self) -> Process:
        process = await self._spawn()
        try:
            async with asyncio.timeout(START_SECONDS):
                await _next_message(process)  # the first one says that the engine is loaded
        except BaseException as error:
            await _end(process)
            if isinstance(error, TimeoutError | TranscriberCrashedError):
                message = f"The transcriber {self._engine!r} could not be started. {error}"
                raise TranscriberUnavailableError(message.strip()) from error
            raise
        return process

    async def _spawn(self) -> Process:
        command = (sys.executable, "-P", "-m", "adapters.speech.worker", self._engine)
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=worker_environment(os.environ),
            cwd="/",
            start_new_session=True,
            limit=MAX_LINE_BYTES,
        )

    async def _converse(
        self, process: Process, recording: Path, on_progress: ProgressListener | None
    ) -> Transcript:
        await _send(process, Job(recording=recording, max_audio_seconds=self._max_audio_seconds))
        async for message in self._messages(process):
            match message:
                case Finished():
                    return message.transcript
                case Failed():
                    raise _logged(message)
                case Advanced() if on_progress is not None:
                    on_progress(Progress(message.done_seconds, message.total_seconds))
        raise AssertionError("unreachable: the messages of a process end in an error")

    def _log_end(self, process: Process, error: BaseException) -> None:
        level = logging.INFO if isinstance(error, asyncio.CancelledError) else logging.ERROR
        logger.log(
            level,
            "worker ended",
            extra={
                "worker_pid": process.pid,
                "engine": self._engine,
                "error_type": type(error).__name__,
                "error": str(error),
            },
        )

    async def _messages(self, process: Process) -> AsyncIterator[Ready | Advanced | Finished | Failed]:
        while True:
            try:
                async with asyncio.timeout(self._stall_seconds):
                    message = await _next_message(process)
            except TimeoutError as error:
                raise TranscriberStalledError(
                    f"The transcriber made no progress for {self._stall_seconds:g} s and was ended."
                ) from error
            yield message


def _logged(message: Failed) -> TranscriptionServiceError:
    if message.trace:
        logger.error("worker failed", extra={"trace": message.trace})
    return message.to_error()


async def _send(process: Process, job: Job) -> None:
    assert process.stdin is not None  # noqa: S101 - it was asked for
    with contextlib.suppress(ConnectionError):  # the process is dead, which reading its answer will tell
        process.stdin.write(job.to_line())
        await process.stdin.drain()


async def _next_message(process: Process) -> Ready | Advanced | Finished | Failed:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    try:
        line = await process.stdout.readline()
        if line.endswith(b"\n"):
            return parse_message(line)
    except ValueError as error:  # longer than the limit, or none of our messages: it can no longer be trusted
        await _end(process)
        raise TranscriberCrashedError("The transcriber answered nonsense and was ended.") from error
    await _end(process)
    raise TranscriberCrashedError(f"The transcriber's process died ({_how_it_ended(process)}).")


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _how_it_ended(process: Process) -> str:
    status = process.returncode or 0
    if status >= 0:
        return f"exit status {status}"
    return f"killed by {signal.Signals(-status).name}"
