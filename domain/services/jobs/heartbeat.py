"""Heartbeat of a worker: renews the leases of its jobs, in a thread beside the event loop."""

import asyncio
import logging
import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from domain.model.errors import JobStoreUnavailableError
from domain.model.jobs import JobLease
from domain.services.resilience.background import logging_exceptions
from ports.job_store_port import JobStorePort

if TYPE_CHECKING:
    from uuid import UUID

logger = logging.getLogger(__name__)

LEASE_SECONDS = 40.0
"""Time after which another worker takes over the jobs of a dead one; with a poll, less than a minute."""
RENEW_SECONDS = 10.0
"""Short enough that two renewals may fail before a lease expires, and that a cancelled job ends soon."""
BEAT_SECONDS = 2.0
MAX_SILENCE_SECONDS = 20.0
"""Longest time without a beat of the event loop; a worker whose loop hangs must lose its jobs to others."""
RETRY_SECONDS = 1.0
"""Delay after a failed renewal: once the store is back, leases are renewed before jobs are taken over."""


class LeaseHeartbeat:
    """Renews leases periodically, in a thread that a busy event loop does not delay.

    Where the event loop beats, leases are renewed only while it does: work that hangs is taken over.
    """

    def __init__(
        self,
        jobs: JobStorePort,
        *,
        lease_seconds: float = LEASE_SECONDS,  # the length of leases
        renew_seconds: float = RENEW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lease_seconds = lease_seconds
        self._jobs = jobs
        self._renew_seconds = renew_seconds
        self._clock = clock
        self._renewed_at = clock()
        self._beaten_at: float | None = None  # None: no event loop has beaten yet
        self._lock = Lock()
        self._held: dict[UUID, tuple[JobLease, Callable[[], object]]] = {}
        self._wake = Event()
        self._stop = Event()
        self._thread = Thread(target=self._run, name="job-leases", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; leases are not renewed any more."""
        self._stop.set()
        self._wake.set()
        self._thread.join()

    async def keep_beating(self) -> None:
        """Show that the event loop lives, until this is cancelled."""
        while True:
            self.beat()
            await asyncio.sleep(BEAT_SECONDS)

    def beat(self) -> None:
        """Show that the event loop lives now."""
        self._beaten_at = self._clock()

    def hold(self, lease: JobLease, on_loss: Callable[[], object]) -> None:
        """Renew a lease from now on; `on_loss` is called in any thread once the lease is not valid.

        An earlier lease of the same job is not valid any more.
        """
        with self._lock:
            earlier = self._held.get(lease.job.id)
            self._held[lease.job.id] = (lease, on_loss)
        if earlier is not None:
            earlier[1]()

    def release(self, lease: JobLease) -> None:
        """Renew a lease no longer."""
        with self._lock:
            held = self._held.get(lease.job.id)
            if held is not None and held[0].token == lease.token:
                del self._held[lease.job.id]

    def holds(self, job_id: "UUID") -> bool:
        """Return true if a lease of the job is renewed."""
        with self._lock:
            return job_id in self._held

    @property
    def is_current(self) -> bool:
        """True unless leases may have expired: the process was stopped, or the store is unavailable."""
        return self._clock() - self._renewed_at < self.lease_seconds - self._renew_seconds

    def renew_now(self) -> None:
        """Renew all leases now, to notice a cancelled job at once; returns without waiting for it."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            is_late = self._clock() - self._renewed_at > self._renew_seconds
            self._wake.wait(min(RETRY_SECONDS, self._renew_seconds) if is_late else self._renew_seconds)
            self._wake.clear()
            with logging_exceptions("unexpected error while renewing the leases of jobs"):
                self._renew()

    @property
    def _is_silent(self) -> bool:
        return self._beaten_at is not None and self._clock() - self._beaten_at > MAX_SILENCE_SECONDS

    def _renew(self) -> None:
        if self._is_silent:
            logger.error("leases of jobs not renewed, the event loop does not answer")
            return
        with self._lock:
            held = list(self._held.values())
        begun = self._clock()
        try:
            valid = (
                self._jobs.renew([lease for lease, _ in held], lease_seconds=self.lease_seconds)
                if held
                else ()
            )
        except JobStoreUnavailableError as error:
            logger.warning("leases of jobs not renewed, retrying", extra={"error": str(error)})
            return
        self._renewed_at = begun
        for lease, on_loss in held:
            if lease.job.id not in valid:
                self.release(lease)
                on_loss()
