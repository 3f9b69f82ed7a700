"""Publisher over one connection to a broker, which an event loop on a thread of its own serves.

All calls share the connection. A lost connection fails the events that wait for their acknowledgements, and
the next call opens another one. No library sends again by itself, because the outbox does.
"""

import asyncio
import atexit
import logging
from collections.abc import Sequence

from adapters.brokers.connection import Acknowledgement, Broker, BrokerConnection
from adapters.brokers.event_loop import EventLoopThread, NoEventLoopError
from adapters.brokers.message import CALL, BrokerMessage, messages_of
from domain.model.errors import EventBusUnavailableError, EventPublishError
from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from ports.event_port import EventPort, PublishOutcome, Traceparents, too_large

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 1.0
"""Longest wait for a connection to be closed at the end of the process."""


class BrokerPublisher(EventPort):
    """Sends the events of a call without waiting in between, then waits for their acknowledgements."""

    def __init__(
        self,
        broker: Broker,
        *,
        source: str,  # EVENT_SOURCE
        max_bytes: int,  # limit of one CloudEvent
        timeout_seconds: float,  # limit of one call, connecting included
    ) -> None:
        self._broker = broker
        self._source = source
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds
        self._thread = EventLoopThread(f"events to {broker.name}")
        self._connecting = asyncio.Lock()
        self._connection: BrokerConnection | None = None
        self._closing: asyncio.Task[None] | None = None  # of a lost connection; unkept, it may be collected
        atexit.register(self.close)
        logger.info("events go to a broker", extra={"broker": broker.name})

    @property
    def batch_size(self) -> int:
        """Return more than other transports: each message stands alone."""
        return CALL

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        """Publish the events; the receipts are the broker's."""
        messages = messages_of(events, source=self._source, labels=labels, traceparents=traceparents)
        try:
            return tuple(self._thread.run(self._publish(messages))) if messages else ()
        except NoEventLoopError as error:
            failure = EventBusUnavailableError(f"{self._broker.name} was not called: {error}")
            failure.__cause__ = error
            return (failure,) * len(messages)

    def close(self) -> None:
        """Close the connection and end the thread; nothing can be published afterwards."""
        atexit.unregister(self.close)
        if self._connection is not None:
            self._thread.run(_close(self._connection))
        self._thread.close()

    async def _publish(self, messages: Sequence[BrokerMessage]) -> list[PublishOutcome]:
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        try:
            async with asyncio.timeout_at(deadline):
                connection = await self._connected()
        except TimeoutError:
            return [self._too_slow("opened no connection")] * len(messages)
        except EventBusUnavailableError as error:
            return [error] * len(messages)
        sent = await self._exchange(connection, messages, deadline)
        return [_outcome(each) for each in sent]

    async def _connected(self) -> BrokerConnection:
        async with self._connecting:
            if self._connection is not None and self._connection.is_open:
                return self._connection
            if self._connection is not None:
                self._closing = asyncio.create_task(_close(self._connection))  # may take longer than the call
                self._connection = None
            self._connection = await self._opened()
            return self._connection

    async def _opened(self) -> BrokerConnection:
        try:
            return await self._broker.connect()
        except (EventBusUnavailableError, TimeoutError):
            raise
        except Exception as error:
            raise self._unexpected(error) from error

    async def _exchange(
        self, connection: BrokerConnection, messages: Sequence[BrokerMessage], deadline: float
    ) -> list[Acknowledgement]:
        """Send messages and wait until each has an answer; a connection without answers is given up.

        Otherwise messages would stay in its buffers, and reach the broker long after they failed.
        """
        sent: list[Acknowledgement] = []
        try:
            async with asyncio.timeout_at(deadline):
                for message in messages:
                    sent.append(await self._sent(connection, message))  # noqa: PERF401 - a time-out keeps the part
                await asyncio.wait(sent)
        except TimeoutError:
            failure = self._too_slow("acknowledged no message")
            connection.fail(failure)
            sent += [_failed(failure) for _ in messages[len(sent) :]]
        return sent

    async def _sent(self, connection: BrokerConnection, message: BrokerMessage) -> Acknowledgement:
        size = len(message.body)
        if size > self._max_bytes:
            return _failed(too_large(size, self._max_bytes))
        try:
            return await connection.send(message)
        except EventPublishError as error:
            return _failed(error)
        except Exception as error:  # noqa: BLE001 - see `_unexpected`
            failure = self._unexpected(error)
            connection.fail(failure)
            return _failed(failure)

    def _unexpected(self, error: Exception) -> EventBusUnavailableError:
        """Describe an error of a library, over a broken answer; its text may quote a secret."""
        failure = EventBusUnavailableError(
            f"the client of {self._broker.name} failed with {type(error).__name__}"
        )
        failure.__cause__ = error
        return failure

    def _too_slow(self, what: str) -> EventBusUnavailableError:
        return EventBusUnavailableError(f"{self._broker.name} {what} within {self._timeout_seconds:g} s")


def _failed(error: EventPublishError) -> Acknowledgement:
    acknowledgement: Acknowledgement = asyncio.get_running_loop().create_future()
    acknowledgement.set_exception(error)
    return acknowledgement


def _outcome(acknowledgement: Acknowledgement) -> PublishOutcome:
    error = acknowledgement.exception()
    if error is None:
        return Publication(PublicationStatus.PUBLISHED, acknowledgement.result())
    if isinstance(error, EventPublishError):
        return error
    raise error


async def _close(connection: BrokerConnection) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.close()
    except TimeoutError:
        logger.debug("the broker did not close its connection in time")
    except Exception as error:  # noqa: BLE001 - of a library; the connection is not used again
        logger.debug("the connection was not closed", extra={"error_type": type(error).__name__})
