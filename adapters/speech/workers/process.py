"""One supervised worker process, as the service sees it."""

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from adapters.speech.workers import conversation, sandbox
from adapters.speech.workers.conversation import Answer, WorkerSubprocess
from adapters.speech.workers.program import Program
from adapters.speech.workers.protocol import Failed, Job, Ready
from domain.model.errors import (
    RecordingError,
    TranscriberCrashedError,
    TranscriberStalledError,
    TranscriberUnavailableError,
    TranscriptionServiceError,
)

if TYPE_CHECKING:
    from domain.model.engines import EngineDescription

logger = logging.getLogger(__name__)

CPU_SECONDS_OF_A_SIGN = 0.05
"""Processor time that counts as a sign of life."""


class EndReason(StrEnum):
    """Reason for which a process ended that another one follows."""

    CRASHED = "crashed"
    STALLED = "stalled"
    FAILED = "failed"
    """It reported an error of its engine, or used too much processor time."""
    CANCELLED = "cancelled"
    """Its work was not needed any more."""
    REPLACED = "replaced"
    """A unit is recognised again, in a fresh process."""
    RETIRED = "retired"
    """It had used up its processor time."""

    @classmethod
    def of(cls, error: BaseException) -> "EndReason":
        """Classify the error that ended a process."""
        match error:
            case asyncio.CancelledError() | GeneratorExit():
                return cls.CANCELLED
            case TranscriberCrashedError():
                return cls.CRASHED
            case TranscriberStalledError():
                return cls.STALLED
        return cls.FAILED


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Limits of a worker process; a process that exceeds one is killed."""

    stall_seconds: float  # time without a sign of life and without processor time
    # time until the first sign of life, where `stall_seconds` is longer: opening a recording takes moments,
    # unless it was made to take long
    first_sign_seconds: float = 20.0
    # time to load the engine and to prove it; a cold disk may take long to read its model
    start_seconds: float = 60.0
    # processor time after which a worker is replaced between two recordings
    cpu_seconds: float = sandbox.CPU_SECONDS_OF_A_LIFE


class WorkerProcess:
    """Runs one program, a reader or a recogniser, in a separate process.

    The process does one job at a time, and is restarted whenever it died.

    Attributes:
        engine: description of the engine of a recogniser that has been ready once.
        ends: number of processes that ended, by reason; the last one, which `stop` ends, does not count.
    """

    def __init__(self, program: Program, limits: WorkerLimits, *, python: str = sys.executable) -> None:
        self._program = program
        self._limits = limits
        self._python = python
        self._process: WorkerSubprocess | None = None
        self._starting = asyncio.Lock()
        self._used: WorkerSubprocess | None = None  # the process that got the latest job
        self._at_work = False
        self._stopped = False
        self.engine: EngineDescription | None = None
        self.ends = Counter[EndReason]()

    @property
    def pid(self) -> int | None:
        """Process id; None while no process has proved itself."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the process, unless it runs, and wait until it has transcribed its built-in half second.

        Raises:
            TranscriberUnavailableError: the process could not be created, died, failed or took too long;
                the message says which.
        """
        async with self._starting:
            if self.pid is None:
                self._process = await self._load()
                logger.info("worker ready", extra={"worker_pid": self.pid, "engine": self._program.name})

    async def ended(self) -> None:
        """Wait until the process ended, and log the end of an idle one."""
        process = self._process
        if process is not None:
            await process.wait()
            if self._process is process and not self._at_work:
                await self._discard(process)
                self._log_end(process, conversation.died(process))

    async def converse(self, job: Job, samples: bytes = b"") -> AsyncGenerator[Answer]:
        """Have a job done, and yield the answers to it; the caller knows which one is the last.

        The process is killed if it stalls, and if the caller does not take the last answer.

        Raises:
            TranscriptionServiceError: the worker reported an error, died or stalled.
        """
        await self._retire_when_due()
        await self.start()
        process = self._process
        assert process is not None  # noqa: S101 - start() returned
        self._used, self._at_work = process, True
        is_last, timeout = False, min(self._limits.stall_seconds, self._limits.first_sign_seconds)
        try:
            conversation.send(process, job, samples)
            while not is_last:
                answer = await self._answer(process, timeout)
                is_last, timeout = conversation.is_last(answer, job), self._limits.stall_seconds
                yield answer
        except RecordingError:
            raise  # the recording is at fault, the worker can go on
        except BaseException as error:
            if not is_last:
                await self._discard(process)
                self._log_end(process, error)
            raise
        finally:
            self._at_work = False

    async def replace(self) -> None:
        """End the process if it has done a job, so that the next one is done by a fresh process."""
        if self._process is not None and self._process is self._used:
            await self._discard(self._process)
            self.ends[EndReason.REPLACED] += 1

    async def stop(self) -> None:
        """Kill the process and its children, and never start it again."""
        self._stopped = True
        if self._process is not None:
            await self._discard(self._process)

    async def _retire_when_due(self) -> None:
        """Replace a process that has used up its processor time, so that every recording gets its share."""
        process = self._process
        if process is not None and sandbox.cpu_seconds_used(process.pid) > self._limits.cpu_seconds:
            await self._discard(process)
            self.ends[EndReason.RETIRED] += 1
            logger.info("worker retired", extra={"worker_pid": process.pid, "engine": self._program.name})

    async def _discard(self, process: WorkerSubprocess) -> None:
        if self._process is process:
            self._process = None
        await conversation.end(process)

    async def _load(self) -> WorkerSubprocess:
        try:
            self._refuse_if_stopped()
            process = await conversation.spawn(self._program, self._python)
            names_engine = self._program.engine is not None
            ready = await _proved(process, self._limits.start_seconds, names_engine=names_engine)
            self.engine = ready.engine
            if self._stopped:
                await conversation.end(process)
            self._refuse_if_stopped()
        except (OSError, TranscriberCrashedError) as error:
            message = f"The transcriber {self._program.name!r} could not be started. {error}"
            raise TranscriberUnavailableError(message) from error
        return process

    def _refuse_if_stopped(self) -> None:
        if self._stopped:
            raise TranscriberUnavailableError("The service is being stopped.")

    async def _answer(self, process: WorkerSubprocess, seconds: float) -> Answer:
        message = await _message_of_a_living(process, seconds)
        if isinstance(message, Failed):
            raise _log_and_convert(message)
        return message

    def _log_end(self, process: WorkerSubprocess, error: BaseException) -> None:
        reason = EndReason.of(error)
        self.ends[reason] += 1
        level = logging.INFO if reason is EndReason.CANCELLED else logging.ERROR
        logger.log(
            level,
            "worker ended",
            extra={
                "worker_pid": process.pid,
                "engine": self._program.name,
                "error_type": type(error).__name__,
                "error": str(error),
            },
        )


async def _message_of_a_living(process: WorkerSubprocess, seconds: float) -> Answer | Failed:
    """Wait for the next message, in turns of some seconds, as long as the process works.

    One call into the engine may take minutes. Its processor time shows that it works, and is bounded by
    the process's budget.

    Raises:
        TranscriberStalledError: the process used no processor time for a whole turn.
    """
    message = asyncio.ensure_future(conversation.next_message(process))
    try:
        while True:
            used = sandbox.cpu_seconds_used(process.pid)
            # the message goes on arriving from turn to turn
            if (await asyncio.wait({message}, timeout=seconds))[0]:
                return message.result()
            if sandbox.cpu_seconds_used(process.pid) - used < CPU_SECONDS_OF_A_SIGN:
                raise TranscriberStalledError(
                    f"The transcriber made no progress for {seconds:g} s and was killed."
                )
    finally:
        message.cancel()
        await asyncio.gather(message, return_exceptions=True)


async def _proved(process: WorkerSubprocess, seconds: float, *, names_engine: bool) -> Ready:
    """Wait for the process's first message, which says that it works; kill it on a failure."""
    try:
        async with asyncio.timeout(seconds):
            message = await conversation.next_message(process)
    except BaseException as error:
        await conversation.end(process)
        if isinstance(error, TimeoutError):
            raise TranscriberCrashedError(f"It took longer than {seconds:g} s.") from error
        raise
    if isinstance(message, Failed):
        await conversation.end(process)
        raise TranscriberCrashedError(str(_log_and_convert(message)))
    if not isinstance(message, Ready) or (names_engine and message.engine is None):
        await conversation.end(process)
        raise TranscriberCrashedError("Its first message is no report that it is ready.")
    return message


def _log_and_convert(message: Failed) -> TranscriptionServiceError:
    if message.trace:
        logger.error("worker failed", extra={"trace": message.trace})
    return message.to_error()
