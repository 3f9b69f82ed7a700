"""Fixtures of tests on brokers: a server for each transport, and publishers as the service builds them."""

from collections.abc import Callable, Iterator

import pytest

from bootstrap.factories.transports import _factory_of
from bootstrap.settings import Settings
from ports.event_port import EventPort
from tests.support.brokers.brokers import RABBITMQ, Broker, running
from tests.support.brokers.kafka_place import KafkaPlace
from tests.support.brokers.mock_cluster import MockCluster
from tests.support.brokers.nats_place import NatsPlace
from tests.support.brokers.rabbitmq_place import RabbitMqPlace

NewPublisher = Callable[..., EventPort]

TIMEOUT_SECONDS = 30.0
"""More than a busy machine takes."""


@pytest.fixture(scope="session")
def rabbitmq_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running(RABBITMQ, tmp_path_factory.mktemp("rabbitmq"), own=True) as broker:
        yield broker


@pytest.fixture
def nats_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsPlace]:
    place = NatsPlace(tmp_path_factory.mktemp("nats"))
    place.start()
    yield place
    place.stop()


@pytest.fixture
def rabbitmq_place(rabbitmq_server: Broker) -> RabbitMqPlace:
    place = RabbitMqPlace(rabbitmq_server)
    place.create()
    return place


@pytest.fixture
def kafka_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaPlace]:
    place = KafkaPlace(tmp_path_factory.mktemp("kafka"))
    place.start()
    yield place
    place.stop()


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    """Kafka whose broker fails on request."""
    with MockCluster() as cluster:
        yield cluster


@pytest.fixture
def new_publisher() -> Iterator[NewPublisher]:
    """Return a maker of publishers, by the variables of the transport; they are closed with the test."""
    publishers: list[EventPort] = []

    def make(transport: str, *, seconds: float = TIMEOUT_SECONDS, **environ: str) -> EventPort:
        settings = Settings.from_env({"EVENT_TRANSPORT": transport, **environ})
        publishers.append(_factory_of(transport)(settings, timeout_seconds=seconds))
        return publishers[-1]

    yield make
    for publisher in publishers:
        publisher.close()  # type: ignore[attr-defined]  # each of the three can
