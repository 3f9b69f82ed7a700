"""Refusals of brokers: of credentials, of the place, and of single events."""

import pytest
from confluent_kafka import KafkaError

from domain.model.errors import EventBusRefusesUsError, EventBusUnavailableError, EventTooLargeError
from domain.model.events.event import Publication
from tests.support.brokers.brokers import Broker
from tests.support.brokers.kafka_place import read_topic
from tests.support.brokers.mock_cluster import TOPIC, MockCluster
from tests.support.brokers.nats_place import PASSWORD, NatsPlace
from tests.support.brokers.places import stored_ids
from tests.support.brokers.rabbitmq_place import RabbitMqPlace
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_event
from tests.system.transports.conftest import NewPublisher

pytestmark = pytest.mark.process

BATCH = 10


def test_nats_that_refuses_a_password_refuses_us(nats_place: NatsPlace, new_publisher: NewPublisher) -> None:
    wrong = nats_place.url.replace(PASSWORD, "sesame-wrong")

    with pytest.raises(EventBusRefusesUsError) as refusal:
        new_publisher("nats", NATS_URL=wrong).publish(an_event())

    assert "sesame" not in str(refusal.value)


def test_rabbitmq_that_refuses_a_password_refuses_us(
    rabbitmq_place: RabbitMqPlace, new_publisher: NewPublisher
) -> None:
    wrong = rabbitmq_place.url.replace("guest:guest", "guest:sesame-wrong")

    with pytest.raises(EventBusRefusesUsError) as refusal:
        new_publisher("rabbitmq", RABBITMQ_URL=wrong).publish(an_event())

    assert "sesame" not in str(refusal.value)


def test_rabbitmq_without_the_virtual_host_refuses_us(
    rabbitmq_place: RabbitMqPlace, new_publisher: NewPublisher
) -> None:
    with pytest.raises(EventBusRefusesUsError, match="nowhere"):
        new_publisher("rabbitmq", RABBITMQ_URL=f"{rabbitmq_place.url}nowhere").publish(an_event())


def test_nats_without_the_permission_to_publish_refuses_us(
    tmp_path_factory: pytest.TempPathFactory, new_publisher: NewPublisher
) -> None:
    reader = {"user": "reader", "password": PASSWORD, "permissions": {"publish": "other.>"}}
    users = [{"user": "events", "password": PASSWORD}, reader]
    place = NatsPlace(tmp_path_factory.mktemp("nats"), options={"authorization": {"users": users}})
    place.start()
    try:
        url = place.url.replace("events:", "reader:")
        with pytest.raises(EventBusRefusesUsError, match=r"(?i)permissions violation"):
            new_publisher("nats", **{**place.environ, "NATS_URL": url}).publish(an_event())
    finally:
        place.stop()


def test_kafka_that_refuses_the_topic_refuses_us(cluster: MockCluster, new_publisher: NewPublisher) -> None:
    cluster.refuse(KafkaError.TOPIC_AUTHORIZATION_FAILED)

    with pytest.raises(EventBusRefusesUsError):
        new_publisher("kafka", seconds=5, **cluster.environ).publish(an_event())


def test_the_limits_of_nats_make_an_event_too_large(
    tmp_path_factory: pytest.TempPathFactory, new_publisher: NewPublisher
) -> None:
    place = NatsPlace(tmp_path_factory.mktemp("nats"), options={"max_payload": 5_000}, max_msg_size=3_000)
    place.start()
    try:
        port = new_publisher("nats", **place.environ)
        sizes = (1_000, 4_000, 6_000)
        small, of_the_stream, of_the_server = port.publish_all(
            [an_event(raw_transcript="x" * size) for size in sizes]
        )
        assert isinstance(small, Publication)
        assert isinstance(of_the_stream, EventTooLargeError)
        assert isinstance(of_the_server, EventTooLargeError)
        assert len(place.bodies()) == 1
    finally:
        place.stop()


def test_a_full_stream_of_nats_is_tried_again(
    tmp_path_factory: pytest.TempPathFactory, new_publisher: NewPublisher
) -> None:
    place = NatsPlace(tmp_path_factory.mktemp("nats"), max_msgs=1, discard="new")
    place.start()
    try:
        port = new_publisher("nats", **place.environ)
        taken, refused = port.publish_all([an_event(), an_event()])
        assert isinstance(taken, Publication)
        assert type(refused) is EventBusUnavailableError
        assert "maximum messages exceeded" in str(refused)
    finally:
        place.stop()


def test_a_full_queue_of_rabbitmq_is_tried_again(
    rabbitmq_server: Broker, new_publisher: NewPublisher
) -> None:
    place = RabbitMqPlace(rabbitmq_server)
    place.create(**{"x-max-length": 1, "x-overflow": "reject-publish"})
    port = new_publisher("rabbitmq", **place.environ)

    outcomes = [port.publish_all([an_event()])[0] for _ in range(3)]

    assert isinstance(outcomes[0], Publication)
    assert type(outcomes[-1]) is EventBusUnavailableError
    assert "is full" in str(outcomes[-1])


def test_kafka_that_refuses_a_batch_as_too_large_takes_its_messages_one_by_one(
    cluster: MockCluster, new_publisher: NewPublisher
) -> None:
    cluster.refuse(KafkaError.MSG_SIZE_TOO_LARGE)
    port = new_publisher("kafka", **cluster.environ)
    events = [an_event() for _ in range(BATCH)]

    outcomes = port.publish_all(events)

    assert all(isinstance(outcome, Publication) for outcome in outcomes)
    assert set(stored_ids(read_topic(cluster.servers, TOPIC, BATCH))) == {
        str(event.interaction_id) for event in events
    }


def test_kafka_that_refuses_a_message_by_itself_makes_it_too_large(
    cluster: MockCluster, new_publisher: NewPublisher
) -> None:
    cluster.refuse(*[KafkaError.MSG_SIZE_TOO_LARGE] * 2)

    with pytest.raises(EventTooLargeError):
        new_publisher("kafka", **cluster.environ).publish(an_event())


def test_kafka_sends_nothing_long_after_it_failed(cluster: MockCluster, new_publisher: NewPublisher) -> None:
    port, late = new_publisher("kafka", seconds=2, **cluster.environ), an_event()
    port.publish(an_event())
    cluster.stop()
    with pytest.raises(EventBusUnavailableError):
        port.publish(late)
    cluster.start()

    wait_until(lambda: isinstance(port.publish_all([an_event()])[0], Publication))

    assert str(late.interaction_id) not in stored_ids(read_topic(cluster.servers, TOPIC, 2))


def test_kafka_without_the_topic_names_it(cluster: MockCluster, new_publisher: NewPublisher) -> None:
    cluster.refuse_topic(KafkaError.UNKNOWN_TOPIC_OR_PART)

    (outcome,) = new_publisher("kafka", seconds=3, **cluster.environ).publish_all([an_event()])

    assert type(outcome) is EventBusUnavailableError
    assert f"no topic '{TOPIC}'" in str(outcome)
