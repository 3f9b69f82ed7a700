"""NATS, RabbitMQ and Kafka keep the contract of `EventPort`, on real servers; Kafka is Tansu."""

import pytest

from tests.contracts.event_port import Delivery, EventPortContract, Transport
from tests.support.brokers.places import EventPlace, arrivals, traceparents
from tests.system.transports.conftest import NewPublisher

pytestmark = pytest.mark.process


def transport_to(
    place: EventPlace, new_publisher: NewPublisher, *, unknown_bus_is_refused: bool
) -> Transport:
    name = place.transport
    return Transport(
        new_publisher(name, **place.environ),
        lambda count: arrivals(place.bodies(count)),
        Delivery(unknown_bus_is_refused=unknown_bus_is_refused),
        to_unknown_bus=new_publisher(name, **place.elsewhere),
        unreachable=new_publisher(name, seconds=1.0, **place.unreachable),
        traceparents=lambda: traceparents(place.bodies(13)),
    )


class TestNats(EventPortContract):
    @pytest.fixture
    def transport(self, nats_place: EventPlace, new_publisher: NewPublisher) -> Transport:
        return transport_to(nats_place, new_publisher, unknown_bus_is_refused=True)


class TestRabbitMq(EventPortContract):
    @pytest.fixture
    def transport(self, rabbitmq_place: EventPlace, new_publisher: NewPublisher) -> Transport:
        return transport_to(rabbitmq_place, new_publisher, unknown_bus_is_refused=True)


class TestKafka(EventPortContract):
    @pytest.fixture
    def transport(self, kafka_place: EventPlace, new_publisher: NewPublisher) -> Transport:
        return transport_to(kafka_place, new_publisher, unknown_bus_is_refused=False)
