"""Bell of other processes and machines: messages of Celery."""

import atexit
import logging
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, Full, Queue
from threading import Lock, Thread
from uuid import UUID

from adapters.celery.app import Broker
from adapters.celery.publisher import RingPublisher
from ports.job_bell_port import JobBellPort

logger = logging.getLogger(__name__)

Work = Callable[[RingPublisher], None]

MAX_WAITING = 1000
"""Rings that wait for the broker; more are lost."""
FLUSH_SECONDS = 1.0
"""Longest time for which the end of the process waits for rings."""


class CeleryBell(JobBellPort):
    """Publishes in a thread of its own, so that no broker delays a caller.

    A ring that cannot be published is lost, and an outage is logged once.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._waiting: Queue[Work] = Queue(MAX_WAITING)
        self._starting = Lock()
        self._thread: Thread | None = None
        self._is_down = False

    def ring(self, job_id: UUID, queue: str, /) -> None:
        """Hand the ring to the thread."""
        self._hand_over(partial(_publish, [str(job_id)], queue))

    def ring_again(self, jobs: Sequence[tuple[UUID, str]], /) -> None:
        """Ring, unless the broker has messages for a queue: then workers are busy, and come to them later."""
        for queue in sorted({queue for _, queue in jobs}):
            ids = [str(job_id) for job_id, each in jobs if each == queue]
            self._hand_over(partial(_publish_if_empty, ids, queue))

    def flush(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Wait until all rings are published or lost; False if that takes longer."""
        with self._waiting.all_tasks_done:
            return self._waiting.all_tasks_done.wait_for(lambda: not self._waiting.unfinished_tasks, seconds)

    def _hand_over(self, work: Work) -> None:
        self._ensure_thread()
        try:
            self._waiting.put_nowait(work)
        except Full:
            self._report_outage("its messages take too long")

    def _ensure_thread(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="job-bell", daemon=True)
                self._thread.start()
                atexit.register(self.flush)

    def _run(self) -> None:
        publisher = RingPublisher(self._broker)
        while True:
            work = self._waiting.get()
            try:
                self._do(work, publisher)
            finally:
                self._waiting.task_done()

    def _do(self, work: Work, publisher: RingPublisher) -> None:
        try:
            work(publisher)
        except Exception as error:  # noqa: BLE001 - each transport has errors of its own
            self._drop_waiting()
            self._report_outage(_reason(error))
        else:
            self._report_recovery()

    def _drop_waiting(self) -> None:
        """Lose the rings behind a lost one: each would wait for its own time-out."""
        try:
            while True:
                self._waiting.get_nowait()
                self._waiting.task_done()
        except Empty:
            return

    def _report_outage(self, reason: str) -> None:
        if not self._is_down:
            self._is_down = True
            logger.warning(
                "broker of jobs not reachable, workers find jobs in the database", extra={"error": reason}
            )

    def _report_recovery(self) -> None:
        if self._is_down:
            self._is_down = False
            logger.info("broker of jobs reachable again")


def _reason(error: Exception) -> str:
    """Describe an error; those of AWS quote requests with session tokens: their codes suffice."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return f"{type(error).__name__}: {response.get('Error', {}).get('Code', 'unknown code')}"
    return f"{type(error).__name__}: {error}"


def _publish(job_ids: Sequence[str], queue: str, publisher: RingPublisher) -> None:
    publisher.publish(job_ids, queue)


def _publish_if_empty(job_ids: Sequence[str], queue: str, publisher: RingPublisher) -> None:
    if not publisher.waiting(queue):
        publisher.publish(job_ids, queue)
