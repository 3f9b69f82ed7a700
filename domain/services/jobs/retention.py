"""Retention: deletes jobs and recordings whose time is over, and rings for jobs that no worker has taken."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice
from threading import Event

from domain.model.clock import SECONDS_PER_DAY
from domain.model.errors import JobStoreUnavailableError, RecordingStoreUnavailableError
from domain.services.resilience.background import logging_exceptions
from ports.job_bell_port import JobBellPort
from ports.job_store_port import JobStorePort
from ports.recording_store_port import RecordingStorePort

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 30.0
BATCH = 100
"""Jobs in one transaction, so that other writers wait only briefly."""
ORPHAN_EVERY = 120
"""Sweeps between two lists of the store of recordings, which may be long, and cost money."""
ORPHAN_SECONDS = SECONDS_PER_DAY
"""Age of a recording that no job has: its submission or its deletion was cut short."""


class JobSweeper:
    """Periodic maintenance of jobs; any number of processes may run it on the same stores."""

    def __init__(
        self,
        jobs: JobStorePort,
        recordings: RecordingStorePort,
        bell: JobBellPort,
        *,
        jobs_keep_days: float,  # time after their end for which jobs are kept
        recordings_keep_days: float,  # the same for recordings of completed and cancelled jobs
    ) -> None:
        self._jobs = jobs
        self._recordings = recordings
        self._bell = bell
        self._jobs_keep_seconds = jobs_keep_days * SECONDS_PER_DAY
        self._recordings_keep_seconds = recordings_keep_days * SECONDS_PER_DAY

    def run(self, stop: Event, *, every_seconds: float = SWEEP_SECONDS) -> None:
        """Sweep at once, and then periodically until `stop` is set."""
        for number in count():
            self.sweep(with_orphans=number % ORPHAN_EVERY == 0)
            if stop.wait(every_seconds):
                return

    def sweep(self, *, with_orphans: bool = True) -> None:
        """Sweep once; failures are logged, and the next sweep tries again."""
        with _logging_failures():
            self._ring()
        with _logging_failures():
            self._delete_expired()
        if with_orphans:
            with _logging_failures():
                self._delete_orphans()

    def _ring(self) -> None:
        """Tell workers of due jobs again: a broker may have lost its message."""
        if due := self._jobs.due(BATCH):
            self._bell.ring_again(due)

    def _delete_expired(self) -> None:
        """Delete rows first: a recording whose row is gone is found as an orphan."""
        expired = self._jobs.expired(
            BATCH,
            jobs_keep_seconds=self._jobs_keep_seconds,
            recordings_keep_seconds=self._recordings_keep_seconds,
        )
        for each in expired:
            if each.recording_key is not None:
                self._recordings.delete(each.recording_key)
        if expired:
            logger.info("expired jobs and recordings deleted", extra={"jobs": len(expired)})
        if len(expired) == BATCH:
            self._delete_expired()

    def _delete_orphans(self) -> None:
        stored = self._recordings.keys(older_than_seconds=ORPHAN_SECONDS)
        while keys := tuple(islice(stored, BATCH)):
            for key in set(keys) - self._jobs.known_recordings(keys):
                self._recordings.delete(key)
                logger.info("recording without a job deleted")


@contextmanager
def _logging_failures() -> Iterator[None]:
    with logging_exceptions("unexpected error in the maintenance of jobs"):
        try:
            yield
        except (JobStoreUnavailableError, RecordingStoreUnavailableError) as error:
            logger.warning("maintenance of jobs failed", extra={"error": str(error)})
