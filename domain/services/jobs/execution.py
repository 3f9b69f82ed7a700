"""Execution of one leased job: fetch → transcribe → clean → complete, or what its failure means."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from random import Random
from threading import Event
from typing import ParamSpec, TypeVar

from domain.model.errors import JobStoreUnavailableError, RecordingGoneError
from domain.model.events.failed import FailureData
from domain.model.jobs import MAX_FAILURES, Job, JobLease, JobResult, JobStage, StoredRecording
from domain.services.jobs.announcement import JobAnnouncement
from domain.services.jobs.failures import CRASHED, INTERNAL, Consequence, Failure, failure_of
from domain.services.jobs.journal import JobJournal, LeaseLostError
from domain.services.jobs.sources import RecordingSources
from domain.services.resilience.backoff import Backoff
from domain.services.resilience.threads import in_threads
from ports.cleaner_port import CleanerPort
from ports.job_bell_port import JobBellPort
from ports.job_store_port import JobStorePort
from ports.recording_store_port import RecordingStorePort
from ports.transcriber_port import TranscriberPort

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

FETCHING_THREADS = 256
"""Recordings that are fetched at the same time; as many as JOB_WORKERS may be."""

STORE_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Delays before the end of a job is stored again while the store is unavailable, in seconds."""

RETRY = Backoff(first_seconds=2.0, max_seconds=60.0, least=0.5)
"""Delay before a job is tried again."""
OUTAGE = Backoff(first_seconds=6.0, max_seconds=6.0, least=0.5)
"""The same after an outage of a dependency, which counts no failure, so that the delay does not grow."""


class JobExecution:
    """Works on leased jobs, one call for each; calls may run concurrently."""

    def __init__(
        self,
        jobs: JobStorePort,
        recordings: RecordingStorePort,
        sources: RecordingSources,
        transcriber: TranscriberPort,
        cleaner: CleanerPort,
        announcement: JobAnnouncement,
        bell: JobBellPort,
        *,
        random: Random | None = None,
    ) -> None:
        self._jobs = jobs
        self._recordings = recordings
        self._sources = sources
        self._transcriber = transcriber
        self._cleaner = cleaner
        self._announcement = announcement
        self._bell = bell
        self._fetching = ThreadPoolExecutor(FETCHING_THREADS, thread_name_prefix="fetch-recording")
        self._random = random or Random()  # noqa: S311 - spreads retries, keeps no secret

    async def run(self, lease: JobLease) -> None:
        """Take the job to its end, or queue it again; cancelling the call queues it again at once.

        Raises no error of the job, nor of its store: an end that could not be stored is left to the worker
        that takes the job over when the lease has expired.
        """
        try:
            await self._run(lease)
        except asyncio.CancelledError:
            await _to_its_end(self._postpone(lease, None, 0.0))
            raise
        except LeaseLostError:
            logger.info("job lost to another worker, or cancelled", extra=_context(lease.job))
        except JobStoreUnavailableError as error:
            context = _context(lease.job) | {"error": str(error)}
            logger.error("job left to another worker, the store of jobs is unavailable", extra=context)  # noqa: TRY400 - an expected outage

    async def give_back(self, lease: JobLease) -> None:
        """Queue a job again on which no work has begun."""
        await self._postpone(lease, None, 0.0)

    async def _run(self, lease: JobLease) -> None:
        if lease.has_failed:
            await self._fail(lease, CRASHED)
            return
        logger.info("job started", extra=_context(lease.job))
        units = {} if lease.job.is_first_try else await asyncio.to_thread(self._jobs.units, lease)
        journal = JobJournal(self._jobs, lease, units)
        try:
            result = await self._result(lease, journal)
            event = self._announcement.of_completion(lease.job, result)
        except LeaseLostError:
            raise
        except asyncio.CancelledError:
            await journal.flush()
            raise
        except Exception as error:  # noqa: BLE001 - each error of a job has a consequence, and is logged
            await journal.flush()
            await self._failed(lease, error, journal.failures)
            return
        if await _persistently(self._jobs.complete, lease, result, event):
            self._announcement.wake()
            logger.info("job completed", extra=_context(lease.job) | _lengths(result))

    async def _result(self, lease: JobLease, journal: JobJournal) -> JobResult:
        try:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(journal.keep_writing())
                result = await self._transcribed(lease, journal)
                writing.cancel()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return result

    async def _transcribed(self, lease: JobLease, journal: JobJournal) -> JobResult:
        with ExitStack() as stack:
            recording = await self._recording(lease, stack)
            journal.enter(JobStage.TRANSCRIBING)
            transcript = await self._transcriber.transcribe(
                recording,
                options=lease.job.order.options,
                on_progress=journal.on_progress,
                checkpoint=journal,
            )
        journal.enter(JobStage.CLEANING)
        cleaned = await self._cleaner.clean(transcript)
        return JobResult(
            transcript=transcript,
            cleaned_text=cleaned.text,
            cleaner=cleaned.cleaner,
            fallbacks=cleaned.fallbacks,
        )

    async def _recording(self, lease: JobLease, stack: ExitStack) -> Path:
        """Provide the recording as a file; one that has a source only is fetched and stored first."""
        stored = lease.job.order.recording or await self._fetched(lease)
        cancelled = Event()
        fetched = self._recordings.fetched(stored.key, cancelled)
        entering = in_threads(self._fetching, stack.enter_context, fetched)
        try:
            return await asyncio.shield(entering)
        except asyncio.CancelledError:  # the thread goes on for a moment, and may still make a file
            cancelled.set()
            entering.add_done_callback(partial(_close, stack))
            raise

    async def _fetched(self, lease: JobLease) -> StoredRecording:
        source = lease.job.order.source_url
        if source is None:
            raise RecordingGoneError("The recording is not stored any more.")
        cancelled = Event()
        try:
            return await in_threads(self._fetching, self._attached, lease, source, cancelled)
        except asyncio.CancelledError:
            cancelled.set()  # the end of the process waits for the thread
            raise

    def _attached(self, lease: JobLease, source: str, cancelled: Event) -> StoredRecording:
        """Fetch a recording for its job, or delete it; a thread does all of this, also for cancelled work."""
        stored = self._sources.fetch(source, cancelled)
        if not self._jobs.attach(lease, stored):
            self._recordings.delete(stored.key)
            raise LeaseLostError
        return stored

    async def _failed(self, lease: JobLease, error: Exception, failures: int) -> None:
        failure = failure_of(error)
        _log_failure(lease.job, error, failure)
        is_last = failure.consequence is Consequence.COUNT and failures + 1 >= MAX_FAILURES
        if is_last or failure.consequence is Consequence.END:
            await self._fail(lease, failure.problem)
        else:
            backoff = OUTAGE if failure.consequence is Consequence.WAIT else RETRY
            await self._postpone(lease, failure, backoff.delay(failures, self._random))

    async def _fail(self, lease: JobLease, problem: FailureData) -> None:
        event = self._announcement.of_failure(lease.job, problem)
        if await _persistently(self._jobs.fail, lease, problem, event):
            self._announcement.wake()
            logger.warning("job failed", extra=_context(lease.job) | {"reason": problem.reason})

    async def _postpone(self, lease: JobLease, failure: Failure | None, delay_seconds: float) -> None:
        postpone = partial(
            self._jobs.postpone,
            delay_seconds=delay_seconds,
            problem=failure and failure.problem,
            is_failure=failure is not None and failure.consequence is Consequence.COUNT,
        )
        try:
            is_queued = await asyncio.to_thread(postpone, lease)
        except JobStoreUnavailableError as error:
            context = _context(lease.job) | {"error": str(error)}
            logger.warning("job not queued again, its lease has to expire first", extra=context)
            return
        if is_queued:
            self._ring(lease.job, delay_seconds)

    def _ring(self, job: Job, delay_seconds: float) -> None:
        """Tell workers of a job once it is due again; where this process ends before, they look for it."""
        ring = partial(self._bell.ring, job.id, job.order.queue)
        if delay_seconds:
            asyncio.get_running_loop().call_later(delay_seconds, ring)
        else:
            ring()


async def _persistently(write: Callable[P, bool], *args: P.args, **kwargs: P.kwargs) -> bool:
    """Store the end of a job, and try again for half a minute: the work is done, and the end is fenced.

    Raises:
        JobStoreUnavailableError: the store stayed unavailable.
    """
    for delay in STORE_DELAYS:
        try:
            return await _written(partial(write, *args, **kwargs))
        except JobStoreUnavailableError:
            await asyncio.sleep(delay)
    return await _written(partial(write, *args, **kwargs))


async def _written(write: Callable[[], bool]) -> bool:
    """Store the end of a job; cancelling waits for it, and is too late once the end is stored.

    So the job is not queued again meanwhile, and a renewal that finds its lease ended does no harm.
    """
    writing = asyncio.ensure_future(asyncio.to_thread(write))
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait({writing})
        if writing.exception() is None and writing.result():
            return True
        raise


def _close(stack: ExitStack, entering: "asyncio.Future[Path]") -> None:
    if not entering.cancelled() and entering.exception() is None:
        stack.close()


async def _to_its_end(work: Coroutine[None, None, None]) -> None:
    """Wait for the end of the work, however often the wait is cancelled."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()


def _context(job: Job) -> dict[str, object]:
    return {"interaction_id": str(job.id), "tenant_id": str(job.order.identity.tenant_id)}


def _lengths(result: JobResult) -> dict[str, object]:
    return {
        "duration_seconds": round(result.transcript.duration_seconds, 3),
        "segments": len(result.transcript.segments),
        "raw_length": len(result.transcript.text),
        "cleaned_length": len(result.cleaned_text),
    }


def _log_failure(job: Job, error: Exception, failure: Failure) -> None:
    trace = error if failure.problem.reason == INTERNAL else None
    context = _context(job) | {"error_type": type(error).__name__, "error": str(error)}
    logger.warning("try of a job failed", exc_info=trace, extra=context)
