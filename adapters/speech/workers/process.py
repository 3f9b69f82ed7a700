"""One supervised worker process, seen from the service."""

import asyncio
import logging
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

from adapters.speech.workers import conversation, sandbox
from adapters.speech.workers.protocol import Advanced, Failed, Finished, Job, Ready
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

FIRST_SIGN_SECONDS = 20.0
"""Opening a recording takes moments, unless it was made to take long."""


class WorkerProcess:
    """Runs one engine in a process of its own: one recording at a time, started anew whenever it died.

    Args:
        engine: the engine's name, see `adapters.speech.engines.loading`.
        max_audio_seconds: the longest recording it may work on.
        stall_seconds: without a sign of life for so long, it is killed; the first one must come within
            `FIRST_SIGN_SECONDS` all the same.
    """

    def __init__(self, engine: str, *, max_audio_seconds: float, stall_seconds: float) -> None:
        self._engine = engine
        self._max_audio_seconds = max_audio_seconds
        self._stall_seconds = stall_seconds
        self._process: Process | None = None
        self._starting = asyncio.Lock()
        self._at_work = False
        self._stopped = False

    @property
    def pid(self) -> int | None:
        """The process, while there is one that has loaded its engine."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the process, unless it runs, and wait until its engine is loaded.

        Raises:
            TranscriberUnavailableError: it could not be made, died or failed first, or took longer than
                `START_SECONDS`; the message says which.
        """
        async with self._starting:
            if self.pid is None:
                self._process = await self._load()
                logger.info("worker ready", extra={"worker_pid": self.pid, "engine": self._engine})

    async def ended(self) -> None:
        """Wait until there is no process; one that dies while idle is logged, as nobody else would."""
        process = self._process
        if process is not None:
            await process.wait()
            if self._process is process and not self._at_work:
                await self._discard(process)
                self._log_end(process, conversation.died(process))

    async def run(self, recording: Path, on_progress: ProgressListener | None) -> Transcript:
        """Transcribe one recording; if the process dies, stalls or the call is cancelled, it is killed.

        Raises:
            TranscriptionServiceError: what the worker answered, or what became of it.
        """
        await self._retire_when_due()
        await self.start()
        process = self._process
        assert process is not None  # noqa: S101 - start() returned
        self._at_work = True
        try:
            return await self._converse(process, recording, on_progress)
        except RecordingError:
            raise  # the recording is at fault, the worker is as good as before
        except BaseException as error:
            await self._discard(process)
            self._log_end(process, error)
            raise
        finally:
            self._at_work = False

    async def stop(self) -> None:
        """Kill the process and all it started, for good."""
        self._stopped = True
        if self._process is not None:
            await self._discard(self._process)

    async def _retire_when_due(self) -> None:
        """A worker may use only so much processor time, and every recording has a right to its share."""
        process = self._process
        if process is not None and sandbox.cpu_seconds_used(process.pid) > sandbox.CPU_SECONDS_OF_A_LIFE:
            await self._discard(process)
            logger.info("worker retired", extra={"worker_pid": process.pid, "engine": self._engine})

    async def _discard(self, process: Process) -> None:
        if self._process is process:
            self._process = None
        await conversation.end(process)

    async def _load(self) -> Process:
        try:
            self._refuse_if_stopped()
            process = await conversation.spawn(self._engine)
            await _engine_loaded(process)
            if self._stopped:
                await conversation.end(process)
            self._refuse_if_stopped()
        except (OSError, TranscriberCrashedError) as error:
            message = f"The transcriber {self._engine!r} could not be started. {error}"
            raise TranscriberUnavailableError(message) from error
        return process

    def _refuse_if_stopped(self) -> None:
        if self._stopped:
            raise TranscriberUnavailableError("The service is being stopped.")

    async def _converse(
        self, process: Process, recording: Path, on_progress: ProgressListener | None
    ) -> Transcript:
        await conversation.send(process, Job(recording=recording, max_audio_seconds=self._max_audio_seconds))
        async for message in self._messages(process):
            match message:
                case Finished():
                    return message.transcript
                case Failed():
                    raise _logged(message)
                case Advanced() if on_progress is not None:
                    on_progress(Progress(message.done_seconds, message.total_seconds))
        raise AssertionError("unreachable: the messages of a process end in an error")

    async def _messages(self, process: Process) -> AsyncIterator[Ready | Advanced | Finished | Failed]:
        patience = min(self._stall_seconds, FIRST_SIGN_SECONDS)
        while True:
            yield await _message_within(process, patience)
            patience = self._stall_seconds

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


async def _message_within(process: Process, seconds: float) -> Ready | Advanced | Finished | Failed:
    try:
        async with asyncio.timeout(seconds):
            return await conversation.next_message(process)
    except TimeoutError as error:
        raise TranscriberStalledError(
            f"The transcriber made no progress for {seconds:g} s and was ended."
        ) from error


async def _engine_loaded(process: Process) -> None:
    """Wait for the first message, which says so; a process that failed, or was not waited for, is ended."""
    try:
        async with asyncio.timeout(START_SECONDS):
            message = await conversation.next_message(process)
    except BaseException as error:
        await conversation.end(process)
        if isinstance(error, TimeoutError):
            raise TranscriberCrashedError(f"It took longer than {START_SECONDS:g} s.") from error
        raise
    if isinstance(message, Failed):
        await conversation.end(process)
        raise TranscriberCrashedError(str(_logged(message)))


def _logged(message: Failed) -> TranscriptionServiceError:
    if message.trace:
        logger.error("worker failed", extra={"trace": message.trace})
    return message.to_error()
