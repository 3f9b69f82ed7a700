"""Retention: deletes jobs and recordings whose time is over, and rings for jobs that no worker has taken."""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import islice
from threading import Event

from domain.model.clock import SECONDS_PER_DAY
from domain.model.errors import JobStoreUnavailableError, RecordingStoreUnavailableError
from domain.services.resilience.background import logging_outages
from ports.job_bell_port import JobBellPort
from ports.job_store_port import JobStorePort
from ports.recording_store_port import RecordingStorePort

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 30.0
BATCH = 100
"""Jobs in one transaction, so that other writers wait only briefly."""
ORPHAN_SECONDS = SECONDS_PER_DAY
"""Age of a recording that no job has: its submission or its deletion was cut short."""
SEARCH_SECONDS = 3600.0
"""Time between two searches for such recordings, which list the whole store."""


class JobSweeper:
    """Periodic maintenance of jobs; any number of processes may run it on the same stores."""

    def __init__(
        self,
        jobs: JobStorePort,
        recordings: RecordingStorePort,
        bell: JobBellPort,
        *,
        erase_expired: Callable[[Event], None] = lambda _stop: None,  # transcripts whose time is over
        jobs_keep_days: float,  # time after their end for which jobs are kept
        recordings_keep_days: float,  # the same for recordings of completed and cancelled jobs
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._recordings = recordings
        self._bell = bell
        self._erase_expired = erase_expired
        self._clock = clock
        self._stop = Event()
        self._search_at = clock()
        self._jobs_keep_seconds = jobs_keep_days * SECONDS_PER_DAY
        self._recordings_keep_seconds = recordings_keep_days * SECONDS_PER_DAY

    def run(self, stop: Event, *, every_seconds: float = SWEEP_SECONDS) -> None:
        """Sweep at once, and then periodically until `stop` is set."""
        self._stop = stop
        self.sweep()
        while not stop.wait(every_seconds):
            self.sweep()

    def sweep(self) -> None:
        """Sweep once; failures are logged, and the next sweep tries again."""
        self.ring()
        with _logging_failures():
            self._erase_expired(self._stop)
        with _logging_failures():
            self._delete_expired()
        with _logging_failures():
            self._delete_orphans()

    def ring(self) -> None:
        """Tell workers of due jobs again: a broker may have lost its message; failures are logged."""
        with _logging_failures():
            if due := self._jobs.due(BATCH):
                self._bell.ring_again(due)

    def _delete_expired(self) -> None:
        """Delete rows first: a recording whose row is gone is found as an orphan."""
        while not self._stop.is_set() and (
            expired := self._jobs.expired(
                BATCH,
                jobs_keep_seconds=self._jobs_keep_seconds,
                recordings_keep_seconds=self._recordings_keep_seconds,
            )
        ):
            for each in expired:
                if each.recording_key is not None:
                    self._recordings.delete(each.recording_key)
            logger.info("expired jobs, or their recordings, deleted", extra={"jobs": len(expired)})

    def _delete_orphans(self) -> None:
        if self._clock() < self._search_at:
            return
        self._search_at = self._clock() + SEARCH_SECONDS
        stored = self._recordings.keys(older_than_seconds=ORPHAN_SECONDS)
        while not self._stop.is_set() and (keys := tuple(islice(stored, BATCH))):
            for key in set(keys) - self._jobs.known_recordings(keys):
                self._recordings.delete(key)
                logger.info("recording without a job deleted")


def _logging_failures() -> AbstractContextManager[None]:
    outages = (JobStoreUnavailableError, RecordingStoreUnavailableError)
    return logging_outages(
        "maintenance of jobs failed", outages, unexpected="unexpected error in the maintenance of jobs"
    )
