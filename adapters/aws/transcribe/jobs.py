"""Jobs from their order to their output: adopted where they are paid for already, and deleted at the end."""

import logging
from collections import Counter
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import BinaryIO, TypeVar

from adapters.aws.transcribe.api import TRANSCRIBE, FoundJob, TranscribeApi
from adapters.aws.transcribe.order import JobOrder
from adapters.aws.transcribe.patience import Patience, Timing
from adapters.aws.transcribe.removals import Removals
from adapters.aws.transcribe.threads import Threads
from domain.model.errors import (
    TranscriberBusyError,
    TranscriberStalledError,
    TranscriberUnavailableError,
    TranscriptionFailedError,
)

logger = logging.getLogger(__name__)

PATIENCE_FACTOR, PATIENCE_SECONDS = 2.0, 30 * 60.0
"""A job may take twice the length of its sound and half an hour, with the wait for a place."""

MAX_FAILED_CALLS = 10
"""Tries of a call about a job that is paid for: it goes on while the network or AWS is away."""

LEAVING_SECONDS = 10.0
"""Time in which jobs and objects may be removed while the process ends."""

Result = TypeVar("Result")
Waited = Callable[[float], None]
"""Called with the seconds that a job has taken so far."""


class _UselessJobError(Exception):
    """A job has no output: it failed, or it or its output was removed."""


class TranscriptionJobs:
    """Has sound transcribed by jobs of one account.

    The same order in several calls of this process is one job. Of two processes with the same order, one
    starts the job and the other adopts it; where the first removes it too early, the other starts it again.
    """

    def __init__(self, api: TranscribeApi, threads: Threads, timing: Timing) -> None:
        self._api = api
        self._threads = threads
        self._timing = timing
        self._removals = Removals(api, threads, timing)
        self._in_use: Counter[str] = Counter()  # calls by the name of their job

    async def output(
        self, order: JobOrder, sound: BinaryIO, seconds: float, on_wait: Waited = lambda _: None
    ) -> bytes:
        """Return the output for a sound of so many seconds, and delete job, sound and output.

        After an error or a cancellation they are deleted in the background.

        Raises:
            TranscriberBusyError: the account had no place for the job until the deadline.
            TranscriberStalledError: the job did not end until the deadline.
            TranscriptionFailedError: the job failed, or has no output.
            TranscriberUnavailableError: AWS does not answer, or refuses every call.
        """
        patience = self._timing.patience(PATIENCE_FACTOR * seconds + PATIENCE_SECONDS)
        is_done = False
        self._in_use[order.name] += 1
        try:
            await self._removals.stop(order.name)
            output = await self._output(order, sound, patience, on_wait)
            is_done = True
        except _UselessJobError as error:
            raise TranscriptionFailedError(str(error)) from None
        finally:
            if self._release(order.name):
                await self._removals.begin(order, patience.seconds, wait=is_done)
        return output

    async def leave(self, seconds: float = LEAVING_SECONDS) -> None:
        """Finish removing jobs within so many seconds, since the process ends."""
        await self._removals.leave(seconds)

    def _release(self, name: str) -> bool:
        """Count a call that ends; return whether it was the last one that uses the job."""
        self._in_use[name] -= 1
        if self._in_use[name]:
            return False
        del self._in_use[name]
        return True

    async def _output(self, order: JobOrder, sound: BinaryIO, patience: Patience, on_wait: Waited) -> bytes:
        """Take the output of a job that exists or is started here; a useless one is started once again."""
        was_started = await self._ensure_started(order, sound, patience)
        try:
            return await self._finished(order, patience, on_wait)
        except _UselessJobError as error:
            if was_started and await self._exists(order, patience):
                raise  # else another process with the same order has removed it
            logger.warning("transcription job is useless, starting it again", extra=_about(order, error))
        await self._patiently(lambda: self._api.delete(order.name), patience)
        await self._ensure_started(order, sound, patience)
        return await self._finished(order, patience, on_wait)

    async def _ensure_started(self, order: JobOrder, sound: BinaryIO, patience: Patience) -> bool:
        """Start a job, unless there is one of that name; return whether it was started here."""
        if not await self._exists(order, patience):
            await self._upload(order, sound, patience)
            if await self._patiently(lambda: self._api.start(order), patience):
                logger.info("transcription job started", extra=_about(order))
                return True
        logger.info("transcription job adopted", extra=_about(order))
        return False

    async def _exists(self, order: JobOrder, patience: Patience) -> bool:
        return await self._patiently(lambda: self._api.find(order.name), patience) is not None

    async def _upload(self, order: JobOrder, sound: BinaryIO, patience: Patience) -> None:
        stop = Event()
        upload = partial(self._api.upload, sound, order.media_key, stop)
        await self._patiently(upload, patience, on_cancel=stop.set)

    async def _finished(self, order: JobOrder, patience: Patience, on_wait: Waited) -> bytes:
        """Wait for the end of a job, and read its output.

        Raises:
            _UselessJobError: it has none.
            TranscriberStalledError: it has not ended until the deadline.
        """
        while (job := await self._look(order, patience)).status != "COMPLETED":
            if job.status == "FAILED":
                raise _UselessJobError(
                    f"{TRANSCRIBE} GetTranscriptionJob: the job failed: {job.failure_reason}"
                )
            if patience.is_over:
                raise TranscriberStalledError(
                    f"{TRANSCRIBE} GetTranscriptionJob: the job {order.name} is still {job.status} after "
                    f"{patience.elapsed:.0f} s"
                )
            on_wait(patience.elapsed)
            await patience.pause()
        try:
            return await self._despite_outages(lambda: self._api.download(order.output_key), order, patience)
        except TranscriptionFailedError as error:
            raise _UselessJobError(str(error)) from None

    async def _look(self, order: JobOrder, patience: Patience) -> FoundJob:
        """Look at a job.

        Raises:
            _UselessJobError: it is gone.
            TranscriberUnavailableError: too many looks in a row failed.
        """
        job = await self._despite_outages(lambda: self._api.find(order.name), order, patience)
        if job is None:
            raise _UselessJobError(
                f"{TRANSCRIBE} GetTranscriptionJob: the job {order.name} was deleted meanwhile"
            )
        return job

    async def _despite_outages(
        self, call: Callable[[], Result], order: JobOrder, patience: Patience
    ) -> Result:
        """Make a call about a job that is paid for, again and again while AWS does not answer."""
        for _ in range(MAX_FAILED_CALLS - 1):
            try:
                return await self._patiently(call, patience)
            except TranscriberUnavailableError as error:
                logger.warning("AWS does not answer, trying again", extra=_about(order, error))
            await patience.pause()
        return await self._patiently(call, patience)

    async def _patiently(
        self,
        call: Callable[[], Result],
        patience: Patience,
        *,
        on_cancel: Callable[[], None] = lambda: None,
    ) -> Result:
        """Make a call; while a limit of the account is reached, make it again, up to the deadline."""
        while True:
            try:
                return await self._threads.run(call, on_cancel=on_cancel)
            except TranscriberBusyError as error:
                if patience.is_over:
                    raise
                logger.info("waiting for a limit of the account", extra={"error": str(error)})
            await patience.pause()


def _about(order: JobOrder, error: Exception | None = None) -> dict[str, str]:
    return {"job": order.name} | ({} if error is None else {"error": str(error)})
