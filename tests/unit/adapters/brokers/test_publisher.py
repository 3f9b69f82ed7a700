"""Publisher over one connection: failures that no library names cost a call, and lose nothing."""

import asyncio
import errno
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest

from adapters.brokers.connection import Acknowledgement, Broker, BrokerConnection
from adapters.brokers.message import BrokerMessage
from adapters.brokers.publisher import BrokerPublisher
from adapters.nats.broker import NatsServers
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


class FailingConnection(AnsweringConnection):
    """Connection whose library fails while it sends, and while it closes."""

    async def send(self, message: BrokerMessage, /) -> Acknowledgement:
        self._wait_for(message.id)
        raise TypeError("'>' not supported")

    async def close(self) -> None:
        raise AttributeError("no writer")


class LastFails(AnsweringConnection):
    """Connection whose first message waits, and whose second one fails."""

    def __init__(self) -> None:
        super().__init__()
        self._sends = iter((self._wait_for, self._fails))

    async def send(self, message: BrokerMessage, /) -> Acknowledgement:
        return next(self._sends)(message.id)

    def _fails(self, _key: object) -> Acknowledgement:
        raise ValueError("of a library")


class ABroker(Broker):
    """Broker that opens a connection of its own with each call.

    Attributes:
        opened: the number of connections.
        connections: makes the next connections; once there are none left, they answer.
    """

    def __init__(self) -> None:
        self.opened = 0
        self.connections: list[Callable[[], BrokerConnection]] = []

    @property
    def name(self) -> str:
        return "a broker at host:1"

    async def connect(self) -> BrokerConnection:
        self.opened += 1
        return self.connections.pop(0)() if self.connections else AnsweringConnection()


@pytest.fixture
def broker() -> ABroker:
    return ABroker()


@pytest.fixture
def port(broker: ABroker) -> Iterator[BrokerPublisher]:
    port = BrokerPublisher(broker, source="tests", max_bytes=1_000_000, timeout_seconds=GENEROUS_SECONDS)
    yield port
    port.close()


@contextmanager
def nats_that_says(info: bytes) -> Iterator[str]:
    """Serve a server of NATS that answers pings, and nothing else; yield its address."""

    class Server(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(info + b"\r\n")
            for line in self.rfile:
                if line.startswith(b"PING"):
                    self.wfile.write(b"PONG\r\n")

    with ThreadingTCPServer(("127.0.0.1", 0), Server) as server:
        server.daemon_threads = True  # a connection that stays open ends with the process
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def published(port: BrokerPublisher, count: int = 2) -> tuple[PublishOutcome, ...]:
    return port.publish_all([an_event() for _ in range(count)])


def no_connection() -> BrokerConnection:
    raise AttributeError("'list' object has no attribute 'get'")


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


@pytest.mark.parametrize(
    ("make", "kind"), [(no_connection, "AttributeError"), (FailingConnection, "TypeError")]
)
def test_an_error_that_no_library_names_gives_up_the_connection_alone(
    broker: ABroker, port: BrokerPublisher, make: Callable[[], BrokerConnection], kind: str
) -> None:
    broker.connections = [make, make]

    for _ in broker.connections.copy():
        outcomes = published(port)
        assert [type(outcome) for outcome in outcomes] == [EventBusUnavailableError] * 2
        assert f"a broker at host:1 failed with {kind}" in str(outcomes[0])

    assert published(port) == (RECEIPT, RECEIPT)
    assert broker.opened == 3


def test_a_message_that_fails_takes_those_before_it_along(broker: ABroker, port: BrokerPublisher) -> None:
    """Their answers would not arrive any more."""
    broker.connections = [LastFails]

    first, last = published(port)

    assert type(first) is type(last) is EventBusUnavailableError
    assert published(port) == (RECEIPT, RECEIPT)


INFOS = {
    "no object": b"INFO []",
    "a line without an end": b"INFO " + b"x" * 200_000,
    "a limit that is a text": b'INFO {"max_payload": "lots"}',
    "a limit that is null": b'INFO {"max_payload": null}',
}


@pytest.mark.parametrize("info", INFOS.values(), ids=INFOS)
def test_a_server_of_nats_that_introduces_itself_badly_is_unavailable_without_a_stack_trace(
    info: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with nats_that_says(info) as address:
        servers = NatsServers((f"nats://{address}",), "events")
        port = BrokerPublisher(servers, source="tests", max_bytes=1_000_000, timeout_seconds=GENEROUS_SECONDS)
        outcomes = published(port)
        port.close()

    assert [type(outcome) for outcome in outcomes] == [EventBusUnavailableError] * 2
    assert f"NATS at {address} failed with " in str(outcomes[0])
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
