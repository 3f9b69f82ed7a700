"""Publisher over one connection: failures that no library names cost a call, and lose nothing."""

import asyncio
import errno
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.brokers.connection import Acknowledgement, Broker, BrokerConnection
from adapters.brokers.message import BrokerMessage
from adapters.brokers.publisher import BrokerPublisher
from domain.model.errors import EventBusUnavailableError
from domain.model.events.event import PublicationStatus
from ports.event_port import PublishOutcome
from tests.support.samples.factories import an_event

GENEROUS_SECONDS = 60.0
RECEIPT = (PublicationStatus.PUBLISHED, "receipt")


class AnsweringConnection(BrokerConnection):
    """Connection that acknowledges each message at once."""

    async def send(self, message: BrokerMessage, /) -> Acknowledgement:
        acknowledgement = self._wait_for(message.id)
        self._settle(message.id, "receipt")
        return acknowledgement

    async def close(self) -> None:
        pass


class ABroker(Broker):
    """Broker that opens a connection of its own with each call.

    Attributes:
        opened: the number of connections.
    """

    def __init__(self) -> None:
        self.opened = 0

    @property
    def name(self) -> str:
        return "a broker at host:1"

    async def connect(self) -> BrokerConnection:
        self.opened += 1
        return AnsweringConnection()


@pytest.fixture
def broker() -> ABroker:
    return ABroker()


@pytest.fixture
def port(broker: ABroker) -> Iterator[BrokerPublisher]:
    port = BrokerPublisher(broker, source="tests", max_bytes=1_000_000, timeout_seconds=GENEROUS_SECONDS)
    yield port
    port.close()


def published(port: BrokerPublisher, count: int = 2) -> tuple[PublishOutcome, ...]:
    return port.publish_all([an_event() for _ in range(count)])


def no_descriptor() -> Any:
    raise OSError(errno.EMFILE, "Too many open files")


def test_without_an_event_loop_each_event_waits_for_the_next_call(port: BrokerPublisher) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.events, "new_event_loop", no_descriptor)
        outcomes = published(port)

    assert [type(outcome) for outcome in outcomes] == [EventBusUnavailableError] * 2
    assert "a broker at host:1" in str(outcomes[0])
    assert "Too many open files" in str(outcomes[0])
    assert published(port) == (RECEIPT, RECEIPT)
