"""Heartbeat of a worker: renews the leases of its jobs, in a thread beside the event loop."""

import logging
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


class LeaseHeartbeat:
    """Renews leases every `RENEW_SECONDS`; a busy event loop does not delay it."""

    def __init__(self, jobs: JobStorePort, *, renew_seconds: float = RENEW_SECONDS) -> None:
        self._jobs = jobs
        self._renew_seconds = renew_seconds
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

    def hold(self, lease: JobLease, on_loss: Callable[[], object]) -> None:
        """Renew a lease from now on; `on_loss` is called in the thread once the lease is not valid."""
        with self._lock:
            self._held[lease.job.id] = (lease, on_loss)

    def release(self, lease: JobLease) -> None:
        """Renew a lease no longer."""
        with self._lock:
            self._held.pop(lease.job.id, None)

    def renew_now(self) -> None:
        """Renew all leases now, to notice a cancelled job at once; returns without waiting for it."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._renew_seconds)
            self._wake.clear()
            with logging_exceptions("unexpected error while renewing the leases of jobs"):
                self._renew()

    def _renew(self) -> None:
        with self._lock:
            held = list(self._held.values())
        if not held:
            return
        try:
            valid = self._jobs.renew([lease for lease, _ in held], lease_seconds=LEASE_SECONDS)
        except JobStoreUnavailableError as error:
            logger.warning("leases of jobs not renewed, retrying", extra={"error": str(error)})
            return
        for lease, on_loss in held:
            if lease.job.id not in valid:
                self.release(lease)
                on_loss()
