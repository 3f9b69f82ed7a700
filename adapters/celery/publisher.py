"""Publisher of rings over one connection."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from kombu import Connection, Producer

from adapters.celery.app import TASK, Broker, publishing_app, queue_name

T = TypeVar("T")


class RingPublisher:
    """Publishes the ids of jobs, for one thread.

    Each step has a time-out. Raises the errors of the broker's library.
    """

    def __init__(self, broker: Broker) -> None:
        self._app = publishing_app(broker)
        self._connection: Connection = self._app.connection_for_write()

    def publish(self, job_ids: Sequence[str], queue: str) -> None:
        """Publish one message for each job."""
        self._trying_twice(lambda: self._send(job_ids, queue_name(queue)))

    def waiting(self, queue: str) -> int:
        """Count the messages that no worker has taken; the queue is created where it does not exist."""
        return self._trying_twice(lambda: self._count(queue_name(queue)))

    def _send(self, job_ids: Sequence[str], queue: str) -> None:
        with Producer(self._connection) as producer:
            for job_id in job_ids:
                self._app.send_task(TASK, args=[job_id], queue=queue, producer=producer, retry=False)

    def _count(self, queue: str) -> int:
        with self._connection.channel() as channel:
            declared = self._app.amqp.queues[queue](channel).queue_declare()
            return int(declared.message_count)

    def _trying_twice(self, call: Callable[[], T]) -> T:
        """Try again with a new connection: the broker may have closed the old one long ago."""
        try:
            return call()
        except Exception:  # noqa: BLE001 - each transport has errors of its own
            self._connection.collect()
            self._connection = self._app.connection_for_write()
            return call()
