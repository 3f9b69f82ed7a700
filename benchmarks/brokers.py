"""Clients of brokers, called bare in the way in which each is fastest: all messages under way at once."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import nats
import pika
import urllib3
from confluent_kafka import Producer
from pika.adapters.select_connection import SelectConnection

from domain.model.events.cloud_event import CONTENT_TYPE, cloud_event, cloud_event_id
from domain.model.events.event import DEFAULT_EVENT_SOURCE, BatchProcessingCompleted
from domain.services.relay.dispatcher import DEFAULT_THREADS

Events = Sequence[BatchProcessingCompleted]
Bare = Callable[[Events], float]


def bare_nats(environ: dict[str, str]) -> Bare:
    """Publish with nats-py's `publish_async`, and wait for all acknowledgements."""

    async def publish(events: Events) -> float:
        client = await nats.connect(environ["NATS_URL"])
        stream = client.jetstream(publish_async_max_pending=len(events))
        subject = environ["NATS_SUBJECT"].replace("{detail_type}", events[0].DETAIL_TYPE)
        bodies = _bodies(events)
        begun = time.perf_counter()
        for event_id, body in bodies:
            await stream.publish_async(subject, body, headers={"Nats-Msg-Id": event_id})
        await stream.publish_async_completed()
        seconds = time.perf_counter() - begun
        await client.close()
        return len(events) / seconds

    return lambda events: asyncio.run(publish(events))


def bare_kafka(environ: dict[str, str]) -> Bare:
    """Produce with librdkafka's own batches, and wait for all delivery reports."""

    def publish(events: Events) -> float:
        producer = Producer(
            {"bootstrap.servers": environ["KAFKA_BOOTSTRAP_SERVERS"], "enable.idempotence": True}
        )
        failed: list[object] = []
        bodies = _bodies(events)
        begun = time.perf_counter()
        for event_id, body in bodies:
            producer.produce(
                environ["KAFKA_TOPIC"],
                body,
                event_id,
                on_delivery=lambda error, _message: failed.append(error) if error else None,
            )
        left = producer.flush(60)
        seconds = time.perf_counter() - begun
        assert not left + len(failed)  # noqa: S101 - a failed run has no figures
        return len(events) / seconds

    return publish


def bare_webhook(url: str) -> Bare:
    """Post with urllib3's pool of connections, from as many threads as the relay has, without signatures."""

    def publish(events: Events) -> float:
        pool = urllib3.PoolManager(maxsize=DEFAULT_THREADS)
        headers = {"Content-Type": CONTENT_TYPE}

        def post(body: tuple[str, bytes]) -> bool:
            return (
                pool.request("POST", url, body=body[1], headers=headers, retries=False).status
                == HTTPStatus.OK
            )

        bodies = _bodies(events)
        with ThreadPoolExecutor(DEFAULT_THREADS) as threads:
            begun = time.perf_counter()
            accepted = sum(threads.map(post, bodies))
            seconds = time.perf_counter() - begun
        pool.clear()
        assert accepted == len(events)  # noqa: S101 - a failed run has no figures
        return len(events) / seconds

    return publish


def bare_rabbitmq(environ: dict[str, str]) -> Bare:
    """Publish over pika's asynchronous connection, and count the confirmations."""
    return lambda events: _Burst(environ, events).run()


class _Burst:
    """One connection that publishes all messages, and closes after the last confirmation."""

    def __init__(self, environ: dict[str, str], events: Events) -> None:
        self._exchange, self._bodies = environ["RABBITMQ_EXCHANGE"], _bodies(events)
        self._type, self._confirmed = events[0].DETAIL_TYPE, 0
        self._begun = self._seconds = 0.0
        self._connection = SelectConnection(
            pika.URLParameters(environ["RABBITMQ_URL"]),
            on_open_callback=lambda connection: connection.channel(on_open_callback=self._prepare),
            on_close_callback=lambda connection, _error: connection.ioloop.stop(),
        )

    def run(self) -> float:
        """Return the events a second."""
        self._connection.ioloop.start()
        return len(self._bodies) / self._seconds

    def _prepare(self, channel: pika.channel.Channel) -> None:
        channel.confirm_delivery(self._count, callback=lambda _frame: self._publish(channel))

    def _publish(self, channel: pika.channel.Channel) -> None:
        self._begun = time.perf_counter()
        for event_id, body in self._bodies:
            properties = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent, message_id=event_id)
            channel.basic_publish(self._exchange, self._type, body, properties, mandatory=True)

    def _count(self, frame: pika.frame.Method) -> None:
        self._confirmed = frame.method.delivery_tag if frame.method.multiple else self._confirmed + 1
        if self._confirmed >= len(self._bodies) and not self._seconds:
            self._seconds = time.perf_counter() - self._begun
            self._connection.close()


def _bodies(events: Events) -> list[tuple[str, bytes]]:
    """Serialize before the clock starts."""
    return [(cloud_event_id(event), cloud_event(event, source=DEFAULT_EVENT_SOURCE)) for event in events]
