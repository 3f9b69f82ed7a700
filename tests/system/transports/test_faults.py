"""Faults of brokers: nothing is lost, nothing counts as published that is not stored, nothing waits for ever.

PLATFORM's report 12 (murmur#141, faststream#1384, confluent-kafka-python#2071) is among them.
"""

import gc
import socket
import threading
import time
import weakref
from threading import Thread
from typing import Self

import pytest
from confluent_kafka import KafkaError

from adapters.kafka.publisher import BATCH as BATCH_OF_KAFKA
from domain.model.errors import EventBusRefusesUsError, EventBusUnavailableError
from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from ports.event_port import EventPort
from tests.support.brokers.brokers import RABBITMQ, running
from tests.support.brokers.kafka_place import read_topic
from tests.support.brokers.mock_cluster import TOPIC, MockCluster
from tests.support.brokers.nats_place import NatsPlace
from tests.support.brokers.places import EventPlace, stored_ids
from tests.support.brokers.rabbitmq_place import RabbitMqPlace
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_erasure, an_event
from tests.system.transports.conftest import NewPublisher

pytestmark = pytest.mark.process

BATCH = 10


class Sender:
    """Publishes batches in a thread until it is stopped, and keeps what was reported of each event."""

    def __init__(self, port: EventPort) -> None:
        self._port, self._ends = port, False
        self.published: set[str] = set()
        self.failed: list[SentEvent] = []
        self._thread = Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ends = True
        self._thread.join()

    def _run(self) -> None:
        while not self._ends:
            self.send([*self.failed[:BATCH], *(an_event() for _ in range(BATCH))])

    def send(self, events: list[SentEvent]) -> None:
        """Publish a batch; what failed is kept to be sent again."""
        for event, outcome in zip(events, self._port.publish_all(events), strict=True):
            if isinstance(outcome, Publication):
                self.published.add(str(event.interaction_id))
                self.failed = [each for each in self.failed if each is not event]
            elif event not in self.failed:
                self.failed.append(event)


def cut_in_the_middle(port: EventPort, place: EventPlace | MockCluster, *, times: int = 2) -> set[str]:
    """Stop and start a broker while batches go out; return the ids of what was published."""
    with Sender(port) as sender:
        for _ in range(times):
            before = len(sender.published)
            wait_until(lambda count=before: len(sender.published) > count + 3 * BATCH)  # type: ignore[misc]
            place.stop()
            wait_until(lambda: sender.failed)
            place.start()
        before = len(sender.published)
        wait_until(lambda: len(sender.published) > before + 3 * BATCH)
    while sender.failed:
        sender.send(sender.failed[:BATCH])
    return sender.published


def test_nats_cut_in_the_middle_of_a_batch_loses_nothing(
    nats_place: NatsPlace, new_publisher: NewPublisher
) -> None:
    published = cut_in_the_middle(new_publisher("nats", seconds=5, **nats_place.environ), nats_place)

    assert published <= set(stored_ids(nats_place.bodies()))


@pytest.mark.slow
def test_rabbitmq_cut_in_the_middle_of_a_batch_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, new_publisher: NewPublisher
) -> None:
    with running(RABBITMQ, tmp_path_factory.mktemp("rabbitmq"), own=True) as server:
        place = RabbitMqPlace(server)
        place.create()

        published = cut_in_the_middle(new_publisher("rabbitmq", seconds=5, **place.environ), place, times=1)

        assert published <= set(stored_ids(place.bodies()))


def test_kafka_cut_in_the_middle_of_a_batch_loses_nothing(
    cluster: MockCluster, new_publisher: NewPublisher
) -> None:
    published = cut_in_the_middle(new_publisher("kafka", seconds=2, **cluster.environ), cluster)

    assert published <= set(stored_ids(read_topic(cluster.servers, TOPIC, len(published))))


def test_a_duplicate_in_nats_counts_as_published(nats_place: NatsPlace, new_publisher: NewPublisher) -> None:
    port, event = new_publisher("nats", **nats_place.environ), an_event()

    first, second = port.publish(event), port.publish(event)

    assert first == second == (PublicationStatus.PUBLISHED, "EVENTS:1")
    assert stored_ids(nats_place.bodies()) == [str(event.interaction_id)]


def test_an_erasure_is_no_duplicate_in_nats(nats_place: NatsPlace, new_publisher: NewPublisher) -> None:
    port, event = new_publisher("nats", **nats_place.environ), an_event()

    port.publish(event)
    port.publish(an_erasure(interaction_id=event.interaction_id))

    assert len(nats_place.bodies()) == 2


def test_a_message_of_rabbitmq_without_a_queue_is_a_failure(
    rabbitmq_place: RabbitMqPlace, new_publisher: NewPublisher
) -> None:
    port = new_publisher("rabbitmq", **rabbitmq_place.environ)

    routed, unroutable = port.publish_all([an_event(), an_erasure()])

    assert isinstance(routed, Publication)
    assert isinstance(unroutable, EventBusUnavailableError)
    assert rabbitmq_place.exchange in str(unroutable)
    assert "'TranscriptErased'" in str(unroutable)


def kafka_threads() -> int:
    return sum(thread.name == "events to Kafka" for thread in threading.enumerate())


def test_a_producer_of_kafka_that_is_dead_is_replaced_and_ends_by_itself(
    cluster: MockCluster, new_publisher: NewPublisher
) -> None:
    cluster.refuse_producer(KafkaError.CLUSTER_AUTHORIZATION_FAILED)
    port = new_publisher("kafka", **cluster.environ)

    refused = port.publish_all([an_event(), an_event()])
    dead = weakref.ref(port._producers[BATCH_OF_KAFKA])  # type: ignore[attr-defined]  # of librdkafka
    accepted = port.publish_all([an_event(), an_event()])

    assert [type(outcome) for outcome in refused] == [EventBusRefusesUsError] * 2
    assert [type(outcome) for outcome in accepted] == [Publication] * 2
    wait_until(lambda: kafka_threads() == 1)
    wait_until(lambda: gc.collect() >= 0 and dead() is None)


@pytest.mark.parametrize("transport", ["nats", "rabbitmq", "kafka"])
def test_a_server_that_never_answers_takes_the_time_of_one_call(
    transport: str, new_publisher: NewPublisher
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=8) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        environ = {
            "NATS_URL": f"nats://{address}",
            "RABBITMQ_URL": f"amqp://guest:guest@{address}/",
            "KAFKA_BOOTSTRAP_SERVERS": address,
        }
        port = new_publisher(transport, seconds=0.5, **environ)
        begun = time.monotonic()
        outcomes = port.publish_all([an_event() for _ in range(BATCH)])
        seconds = time.monotonic() - begun

    assert {type(outcome) for outcome in outcomes} == {EventBusUnavailableError}
    assert seconds < 60, "it ends; a busy machine takes its time"
