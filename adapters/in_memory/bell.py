"""Bell of this process."""

from collections.abc import Callable, Sequence
from uuid import UUID

from ports.job_bell_port import JobBellPort

Listener = Callable[[UUID], object]


class InProcessBell(JobBellPort):
    """Wakes the worker of this process, if it has one, and then rings the bell of other processes."""

    def __init__(self, others: JobBellPort | None = None) -> None:
        self._others = others
        self._listener: Listener | None = None

    def listen(self, listener: Listener | None) -> None:
        """Have each ring told to the worker of this process; None for no more."""
        self._listener = listener

    def ring(self, job_id: UUID, queue: str, /) -> None:
        """Tell the worker, whose queues the store of jobs checks, and the others."""
        if self._listener is not None:
            self._listener(job_id)
        if self._others is not None:
            self._others.ring(job_id, queue)

    def ring_again(self, jobs: Sequence[tuple[UUID, str]], /) -> None:
        """Tell the worker and the others."""
        if self._listener is not None:
            for job_id, _ in jobs:
                self._listener(job_id)
        if self._others is not None:
            self._others.ring_again(jobs)
