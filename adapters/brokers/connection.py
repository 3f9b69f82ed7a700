"""Open connection to a broker, and the messages that wait there for their acknowledgements."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Protocol

from adapters.brokers.message import BrokerMessage
from domain.model.errors import EventBusUnavailableError, EventPublishError

Acknowledgement = asyncio.Future[str]
"""Receipt of one message, or the `EventPublishError` that says why there is none."""


class BrokerConnection(ABC):
    """Connection to a broker; used in one event loop alone."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, Acknowledgement] = {}
        self.failure: EventPublishError | None = None  # that ended it, or that will end it

    @property
    def is_open(self) -> bool:
        """Tell if messages can be sent."""
        return self.failure is None

    @abstractmethod
    async def send(self, message: BrokerMessage, /) -> Acknowledgement:
        """Send a message; returns before the broker acknowledges it.

        Raises:
            EventPublishError: the message was not sent.
        """
        ...

    @abstractmethod
    async def close(self) -> None:
        """Close the connection; raises no error."""
        ...

    def fail(self, error: EventPublishError) -> None:
        """Send nothing more, and fail all messages that wait; only the first reason counts."""
        self.failure = self.failure or error
        for key in tuple(self._waiting):
            self._settle(key, self.failure)

    def _wait_for(self, key: Hashable) -> Acknowledgement:
        acknowledgement: Acknowledgement = asyncio.get_running_loop().create_future()
        self._waiting[key] = acknowledgement
        return acknowledgement

    def _settle(self, key: Hashable, answer: str | EventPublishError) -> None:
        """Record the answer to a message; a second one changes nothing."""
        acknowledgement = self._waiting.pop(key, None)
        if acknowledgement is None or acknowledgement.done():
            return
        if isinstance(answer, EventPublishError):
            acknowledgement.set_exception(answer)
            acknowledgement.exception()  # else asyncio logs it where the message was never sent
        else:
            acknowledgement.set_result(answer)


class Broker(Protocol):
    """Broker to which connections can be opened."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name and address for messages, without credentials."""
        ...

    @abstractmethod
    async def connect(self) -> BrokerConnection:
        """Open a connection; the caller limits the time, by cancelling.

        Raises:
            EventBusUnavailableError: there is no connection.
        """
        ...


def lost(name: str, reason: object) -> EventBusUnavailableError:
    """Describe the end of a connection before all messages were acknowledged."""
    return EventBusUnavailableError(f"the connection to {name} was lost: {reason}")
