"""Publisher of events on Kafka: an event is published once its delivery report says so."""

import atexit
import logging
import time
from collections.abc import Sequence
from threading import Lock

from adapters.brokers.message import CALL, BrokerMessage, messages_of
from adapters.kafka.access import KafkaAccess
from adapters.kafka.producer import Answer, ReportingProducer
from domain.model.errors import EventPublishError, EventTooLargeError
from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from ports.event_port import EventPort, PublishOutcome, Traceparents, too_large

logger = logging.getLogger(__name__)

BATCH = 10_000
"""Most messages of a batch; Kafka refuses a batch that is too large, although each message would fit."""
OVERHEAD_BYTES = 10_000
"""More than key, headers and record of a message take."""


class KafkaPublisher(EventPort):
    """Sends events to a topic, with the tenant as key: events of one tenant are in one partition."""

    def __init__(
        self,
        access: KafkaAccess,
        *,
        source: str,  # EVENT_SOURCE
        max_bytes: int,  # limit of one CloudEvent
        timeout_seconds: float,  # limit of one call
    ) -> None:
        self._access = access
        self._source = source
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds
        self._starting = Lock()
        self._producers: dict[int, ReportingProducer] = {}  # by the number of messages in a batch
        atexit.register(self.close)
        logger.info("events go to a broker", extra={"broker": access.name})

    @property
    def batch_size(self) -> int:
        """Return more than other transports: the client sends batches by itself."""
        return CALL

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),
        traceparents: Traceparents = (),
    ) -> tuple[PublishOutcome, ...]:
        """Publish the events; the receipts are topic-partition@offset."""
        messages = messages_of(events, source=self._source, labels=labels, traceparents=traceparents)
        deadline = time.monotonic() + self._timeout_seconds
        outcomes: dict[int, PublishOutcome] = {}
        fitting = [at for at, message in enumerate(messages) if len(message.body) <= self._max_bytes]
        self._send(messages, fitting, outcomes, BATCH, deadline)
        refused = [at for at in fitting if isinstance(outcomes[at], EventTooLargeError)]
        self._send(messages, refused, outcomes, 1, deadline)  # Kafka refuses whole batches
        return tuple(
            outcomes.get(at) or too_large(len(message.body), self._max_bytes)
            for at, message in enumerate(messages)
        )

    def close(self) -> None:
        """End the producers."""
        atexit.unregister(self.close)
        for producer in self._producers.values():
            producer.close()

    def _send(
        self,
        messages: Sequence[BrokerMessage],
        chosen: Sequence[int],
        outcomes: dict[int, PublishOutcome],
        batch: int,
        deadline: float,
    ) -> None:
        """Send the chosen messages, in batches of at most so many, and note their outcomes."""
        if not chosen:
            return
        producer = self._producer(batch)
        answers = producer.send([messages[at] for at in chosen], max(0.0, deadline - time.monotonic()))
        outcomes.update({at: _outcome(answer) for at, answer in zip(chosen, answers, strict=True)})

    def _producer(self, batch: int) -> ReportingProducer:
        """Return the producer; one that is dead is replaced."""
        with self._starting:
            producer = self._producers.get(batch)
            if producer is not None and producer.is_dead:
                producer.retire()  # other threads may wait for its reports
                producer = None
            if producer is None:
                properties = {
                    "batch.num.messages": batch,
                    "message.max.bytes": self._max_bytes + OVERHEAD_BYTES,
                    "message.timeout.ms": int(self._timeout_seconds * 1000),
                    "topic.metadata.propagation.max.ms": int(
                        self._timeout_seconds * 500
                    ),  # then there is none
                }
                self._producers[batch] = producer = ReportingProducer(self._access, properties)
            return producer


def _outcome(answer: Answer) -> PublishOutcome:
    return (
        answer if isinstance(answer, EventPublishError) else Publication(PublicationStatus.PUBLISHED, answer)
    )
