"""Journal of a job at work: its progress and finished units, written together about once a second."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping

from domain.model.errors import JobStoreUnavailableError
from domain.model.jobs import JobLease, JobProgress, JobStage
from ports.job_store_port import JobStorePort
from ports.transcriber_port import Checkpoint, Progress

logger = logging.getLogger(__name__)

WRITE_SECONDS = 1.0
"""Shortest time between two writes; a crash costs the units that were finished since the last one."""

MIN_SAMPLES = 3
MAX_SAMPLES = 30
"""Writes from which the pace of the work is estimated: about the last half minute."""


class LeaseLostError(Exception):
    """Another worker has the job, or it was cancelled; this one's work on it is void."""


class JobJournal(Checkpoint):
    """Collects the progress of a job in the event loop, and writes it under the job's lease."""

    def __init__(
        self,
        jobs: JobStorePort,
        lease: JobLease,
        finished: Mapping[str, str],  # units of earlier tries
        *,
        write_seconds: float = WRITE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._lease = lease
        self._finished = dict(finished)
        self._unwritten: dict[str, str] = {}
        self._progress = lease.job.progress
        self._write_seconds = write_seconds
        self._pace = Pace(clock)
        self._changed = asyncio.Event()
        self._has_units = False  # of this try, in the store

    @property
    def failures(self) -> int:
        """Failures in a row before this try; a unit that was finished in it ended the row."""
        return 0 if self._has_units else self._lease.job.failures

    def find(self, fingerprint: str, /) -> str | None:
        """Return a unit of this try or of an earlier one."""
        return self._finished.get(fingerprint)

    def save(self, fingerprint: str, result_json: str, /) -> None:
        """Have a finished unit written with the next progress; a known one is no news."""
        if fingerprint in self._finished:
            return
        self._unwritten[fingerprint] = self._finished[fingerprint] = result_json
        self._changed.set()

    def on_progress(self, progress: Progress) -> None:
        """Note progress; it never falls, although a new try begins at the start of the recording."""
        done = max(progress.done_seconds, self._progress.done_seconds)
        self._progress = self._progress._replace(done_seconds=done, total_seconds=progress.total_seconds)
        self._changed.set()

    def enter(self, stage: JobStage) -> None:
        """Note that another stage has begun."""
        self._progress = self._progress._replace(stage=stage, eta_seconds=None)
        self._changed.set()

    async def keep_writing(self) -> None:
        """Write changes, from time to time, until this is cancelled; an outage of the store delays them.

        Raises:
            LeaseLostError: the lease is not valid any more.
        """
        while True:
            await asyncio.sleep(self._write_seconds)
            await self._changed.wait()
            try:
                await self.write()
            except JobStoreUnavailableError as error:
                logger.warning("progress of a job not written yet", extra={"error": str(error)})
                self._changed.set()

    async def flush(self) -> None:
        """Write the units that the latest write did not have, before the try ends; an outage loses them.

        Raises:
            LeaseLostError: the lease is not valid any more.
        """
        if not self._unwritten:
            return
        try:
            await self.write()
        except JobStoreUnavailableError as error:
            logger.warning("finished units of a job not written", extra={"error": str(error)})

    async def write(self) -> None:
        """Write progress and units now.

        Raises:
            LeaseLostError: the lease is not valid any more.
            JobStoreUnavailableError: nothing was written, and the next write has it all.
        """
        self._changed.clear()
        units, eta = dict(self._unwritten), self._pace.eta(self._progress)
        progress = self._progress._replace(eta_seconds=eta)
        if not await asyncio.to_thread(self._jobs.advance, self._lease, progress, units=units):
            raise LeaseLostError
        for fingerprint in units:
            self._unwritten.pop(fingerprint, None)
        self._has_units |= bool(units)


class Pace:
    """Estimates from the latest writes of progress when the rest will be done."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, float]] = deque(maxlen=MAX_SAMPLES)

    def eta(self, progress: JobProgress) -> float | None:
        """Return the seconds until the transcription is done; None before its pace has shown."""
        if progress.stage is not JobStage.TRANSCRIBING or progress.total_seconds is None:
            return None
        self._samples.append((self._clock(), progress.done_seconds))
        (began, first), (now, done) = self._samples[0], self._samples[-1]
        if len(self._samples) < MIN_SAMPLES or done <= first:
            return None
        return round(max(progress.total_seconds - done, 0.0) * (now - began) / (done - first), 1)
