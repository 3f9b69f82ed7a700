"""RabbitMQ for tests: a server of the PATH, with a queue behind an exchange."""

from collections.abc import Iterator
from uuid import uuid4

import pika
from pika.adapters.blocking_connection import BlockingChannel

from domain.model.events.kinds import EventKind
from tests.support.brokers.brokers import Broker
from tests.support.brokers.places import EventPlace
from tests.support.harness.ports import free_port


class RabbitMqPlace(EventPlace):
    """Queue of a server; every place of a server has names of its own."""

    transport = "rabbitmq"

    def __init__(self, server: Broker) -> None:
        self._server = server
        self.url = server.url.rstrip("/") + "/"  # pika reads // as a virtual host without a name
        self.exchange, self.queue = f"events-{uuid4().hex[:8]}", f"queue-{uuid4().hex[:8]}"
        self.environ = {"RABBITMQ_URL": self.url, "RABBITMQ_EXCHANGE": self.exchange}
        self.elsewhere = {"RABBITMQ_URL": self.url, "RABBITMQ_EXCHANGE": "nowhere"}
        self.unreachable = {"RABBITMQ_URL": f"amqp://guest:guest@127.0.0.1:{free_port()}/"}

    def start(self) -> None:
        """Start the server."""
        self._server.start()

    def create(self, **arguments: object) -> None:
        """Create exchange and queue; no queue is bound for erasures."""
        with pika.BlockingConnection(pika.URLParameters(self.url)) as connection:
            channel = connection.channel()
            channel.exchange_declare(self.exchange, "direct", durable=True)
            channel.queue_declare(self.queue, durable=True, arguments=arguments)
            for kind in (EventKind.COMPLETED, EventKind.FAILED):
                channel.queue_bind(self.queue, self.exchange, kind.detail_type)

    def stop(self) -> None:
        """End the server."""
        self._server.stop()

    def bodies(self, at_least: int = 0) -> list[bytes]:  # noqa: ARG002 - what is acknowledged is there
        """Read the queue, and leave its messages there."""
        with pika.BlockingConnection(pika.URLParameters(self.url)) as connection:
            return list(_messages(connection.channel(), self.queue))  # unacknowledged


def _messages(channel: BlockingChannel, queue: str) -> Iterator[bytes]:
    while True:
        method, _properties, body = channel.basic_get(queue)
        if method is None:
            return
        yield body
