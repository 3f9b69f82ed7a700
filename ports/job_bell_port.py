"""Port of the bell that tells workers of a job."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID


class JobBellPort(Protocol):
    """Wakes workers, so that a job does not wait until they look for work.

    A ring may be lost, doubled, late, or out of order: the row of the job decides, and workers look at the
    rows from time to time. So a ring costs delay when it is lost, and never a job.
    """

    @abstractmethod
    def ring(self, job_id: UUID, queue: str, /) -> None:
        """Tell the workers of a queue to look at a job; takes a second at most, and raises no error."""
        ...

    @abstractmethod
    def ring_again(self, jobs: Sequence[tuple[UUID, str]], /) -> None:
        """Tell of jobs that have waited for a while, with their queues: their rings may have been lost.

        A bell whose earlier rings still wait for workers may leave these out. Takes a second at most, and
        raises no error.
        """
        ...
