"""RabbitMQ as a broker: an event is published once RabbitMQ has confirmed it and has not returned it."""

import asyncio
import logging
from dataclasses import dataclass, field
from functools import cached_property

from pika import BasicProperties, DeliveryMode, URLParameters
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.channel import Channel
from pika.exceptions import AMQPError
from pika.frame import Method
from pika.spec import Basic

from adapters.brokers.connection import Acknowledgement, Broker, BrokerConnection, lost
from adapters.brokers.message import BrokerMessage
from adapters.rabbitmq.errors import channel_failure, connection_failure, largest_message
from domain.model.errors import EventBusUnavailableError, EventPublishError
from domain.model.events.cloud_event import CONTENT_TYPE
from ports.event_port import too_large

logging.getLogger("pika").setLevel(logging.CRITICAL)  # it logs each failure six times; outcomes name it once

BLOCKED_SECONDS = 30
"""Longest life of a connection from which RabbitMQ does not read, because it is low on memory or disk."""


@dataclass
class RabbitMqServer(Broker):
    """Exchange of a RabbitMQ; the routing key of an event is its detail type."""

    url: str = field(repr=False)
    exchange: str
    max_bytes: int | None = None
    """Largest message of the server, once it has refused a larger one."""

    @property
    def name(self) -> str:
        """Return the address of the server."""
        return f"RabbitMQ at {self.parameters.host}:{self.parameters.port}"

    @cached_property
    def parameters(self) -> URLParameters:
        """Parameters of a connection, which is tried once and ends when the server stops reading."""
        parameters = URLParameters(self.url)
        parameters.connection_attempts, parameters.blocked_connection_timeout = 1, BLOCKED_SECONDS
        return parameters

    async def connect(self) -> "RabbitMqConnection":
        """Connect, and open a channel that confirms messages."""
        connection = RabbitMqConnection(self)
        await connection.open()
        return connection


class RabbitMqConnection(BrokerConnection):
    """Connection with one channel; it ends with either of them, and the publisher opens the next one."""

    def __init__(self, server: RabbitMqServer) -> None:
        super().__init__()
        self._server = server
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._connection: AsyncioConnection | None = None
        self._channel: Channel | None = None
        self._last_tag = 0
        self._messages: dict[int, BrokerMessage] = {}  # that wait, by their delivery tag, in order
        self._returned: set[str] = set()  # ids of messages for which there is no queue

    async def open(self) -> None:
        """Connect.

        Raises:
            EventBusUnavailableError: RabbitMQ does not answer, or refuses the credentials.
        """
        self._connection = AsyncioConnection(
            self._server.parameters,
            on_open_callback=self._open_channel,
            on_open_error_callback=self._not_opened,
            on_close_callback=self._on_close,
            custom_ioloop=asyncio.get_running_loop(),
        )
        self._connection.add_on_connection_blocked_callback(self._blocked)
        try:
            await self._opened
        except asyncio.CancelledError:
            self._close()
            raise

    async def send(self, message: BrokerMessage, /) -> Acknowledgement:
        """Send a message to the exchange; it comes back if no queue takes it."""
        if self.failure:
            raise self.failure
        if self._server.max_bytes is not None and len(message.body) > self._server.max_bytes:
            raise too_large(len(message.body), self._server.max_bytes)
        self._last_tag += 1
        self._messages[self._last_tag] = message
        acknowledgement = self._wait_for(self._last_tag)
        try:
            self._publish(message)
        except AMQPError as error:
            self.fail(lost(self._server.name, error))
        return acknowledgement

    async def close(self) -> None:
        """Close the connection; RabbitMQ may take its time for that."""
        self._close()
        await self._closed

    def _close(self) -> None:
        if self._connection is not None and not (self._connection.is_closing or self._connection.is_closed):
            self._connection.close()

    def _publish(self, message: BrokerMessage) -> None:
        assert self._channel is not None  # noqa: S101 - `open` returned
        properties = BasicProperties(
            content_type=CONTENT_TYPE,
            delivery_mode=DeliveryMode.Persistent,
            message_id=message.id,
            type=message.type,
            headers=message.headers,
        )
        self._channel.basic_publish(
            self._server.exchange, message.type, message.body, properties, mandatory=True
        )

    def _open_channel(self, connection: AsyncioConnection) -> None:
        connection.channel(on_open_callback=self._confirm)

    def _confirm(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_channel_close)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_answer, callback=lambda _frame: _finish(self._opened))

    def _not_opened(self, _connection: AsyncioConnection, error: BaseException) -> None:
        _finish(self._opened, connection_failure(self._server.name, error))
        _finish(self._closed)

    def _on_return(
        self, _channel: Channel, _method: Basic.Return, properties: BasicProperties, _body: bytes
    ) -> None:
        self._returned.add(str(properties.message_id))

    def _on_answer(self, frame: Method[Basic.Ack | Basic.Nack]) -> None:
        """Record the answer to one message, or with `multiple` to all up to its tag."""
        answer = frame.method
        tags = (
            [tag for tag in self._messages if tag <= answer.delivery_tag]
            if answer.multiple
            else [answer.delivery_tag]
        )
        for tag in tags:
            message = self._messages.pop(tag)
            self._settle(tag, self._read(message, tag, is_stored=isinstance(answer, Basic.Ack)))

    def _read(self, message: BrokerMessage, tag: int, *, is_stored: bool) -> str | EventPublishError:
        place = f"the exchange {self._server.exchange!r} with the routing key {message.type!r}"
        if message.id in self._returned:  # before its confirmation
            self._returned.discard(message.id)
            return EventBusUnavailableError(f"no queue of RabbitMQ is bound to {place}: bind one")
        if not is_stored:
            return EventBusUnavailableError(
                f"RabbitMQ refused the event for {place}: a queue is full or failed"
            )
        return f"{message.id}:{tag}"

    def _blocked(self, _connection: AsyncioConnection, frame: Method[object]) -> None:
        reason = getattr(frame.method, "reason", "")
        self.fail(EventBusUnavailableError(f"{self._server.name} takes no messages at present: {reason}"))

    def _on_channel_close(self, _channel: Channel, error: Exception) -> None:
        limit = largest_message(error)
        if limit is not None:
            self._server.max_bytes = limit
        for tag, message in self._messages.items():
            if limit is not None and len(message.body) > limit:
                self._settle(tag, too_large(len(message.body), limit))
        self.fail(channel_failure(self._server.name, self._server.exchange, error))

    def _on_close(self, _connection: AsyncioConnection, error: Exception) -> None:
        self.fail(lost(self._server.name, error))
        _finish(self._opened, lost(self._server.name, error))
        _finish(self._closed)


def _finish(future: asyncio.Future[None], error: Exception | None = None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
