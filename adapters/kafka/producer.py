"""Producer that waits for the delivery report of each message, within a time limit."""

from collections.abc import Mapping, Sequence
from functools import partial
from threading import Event, Lock, Thread

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from adapters.brokers.message import BrokerMessage
from adapters.kafka.access import KafkaAccess
from adapters.kafka.errors import ALL_DOWN, delivery_failure, is_fatal, is_refusal
from domain.model.errors import EventBusUnavailableError, EventPublishError

POLL_SECONDS = 0.5
"""Longest wait of the thread for a report, and so for its end."""

Answer = str | EventPublishError
"""Receipt of a message, topic-partition@offset, or the reason why there is none."""


class ReportingProducer:
    """Producer of librdkafka, and the thread that takes its reports.

    The result of `flush` counts the messages that wait, and tells nothing about those that failed: only their
    reports count.
    """

    def __init__(self, access: KafkaAccess, properties: Mapping[str, object]) -> None:
        self._access = access
        self._cause: KafkaError | None = None  # last error of the connections since a delivery
        self._ends = Event()
        self._retires = Event()
        self.is_dead = False  # true after an error from which librdkafka does not recover
        self._producer = Producer(
            {
                **access.configuration(),
                "acks": "all",
                "enable.idempotence": True,
                "error_cb": self._note,
                "log_level": 2,  # the reports say what an error means for events
                **properties,
            }
        )
        self._thread = Thread(target=self._poll, name="events to Kafka", daemon=True)
        self._thread.start()

    def send(self, messages: Sequence[BrokerMessage], seconds: float) -> list[Answer]:
        """Send messages and wait so many seconds for their reports; from any thread.

        Messages without a report in time are purged, or they would be sent long after they failed. That takes
        the messages of other threads with it, which fail and are sent again.
        """
        call = _Call(len(messages))
        for at, message in enumerate(messages):
            self._produce(call, at, message)
        if not call.done.wait(seconds):
            self._producer.purge(blocking=False)
        return [answer or self._no_report() for answer in call.answers]

    def retire(self) -> None:
        """Let the thread end once no message waits for its report; returns at once."""
        self._retires.set()

    def close(self) -> None:
        """End the thread."""
        self._ends.set()
        self._thread.join()

    def _produce(self, call: "_Call", at: int, message: BrokerMessage) -> None:
        try:
            self._producer.produce(
                self._access.topic,
                message.body,
                message.tenant,
                headers=list(message.headers.items()),
                on_delivery=partial(self._report, call, at),
            )
        except KafkaException as error:
            call.answer(at, self._failure(error.args[0]))
        except BufferError:
            call.answer(at, EventBusUnavailableError(f"too many events wait for {self._access.name}"))

    def _report(self, call: "_Call", at: int, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            call.answer(at, self._failure(error))
            return
        self._cause = None
        call.answer(at, f"{message.topic()}-{message.partition()}@{message.offset()}")

    def _failure(self, error: KafkaError) -> EventPublishError:
        self.is_dead = self.is_dead or is_fatal(error)
        return delivery_failure(self._access, error, self._cause)

    def _no_report(self) -> EventPublishError:
        if self._cause is not None:
            return delivery_failure(self._access, self._cause, None)
        return EventBusUnavailableError(f"{self._access.name} reported no delivery in time")

    def _note(self, error: KafkaError) -> None:
        """Keep the reason why messages wait; where the cluster refuses us, they need not wait longer."""
        self.is_dead = self.is_dead or is_fatal(error)
        if error.code() != ALL_DOWN or self._cause is None:
            self._cause = error
        if is_refusal(error):
            self._producer.purge(blocking=False)

    def _poll(self) -> None:
        while not (self._ends.is_set() or self._has_retired()):
            try:
                self._producer.poll(POLL_SECONDS)
            except KafkaException as error:  # a fatal one, which is raised here and not given to `error_cb`
                self._note(error.args[0])

    def _has_retired(self) -> bool:
        return self._retires.is_set() and not len(self._producer)


class _Call:
    """Answers to the messages of one call."""

    def __init__(self, count: int) -> None:
        self.answers: list[Answer | None] = [None] * count
        self.done = Event()
        self._lock = Lock()
        self._missing = count

    def answer(self, at: int, answer: Answer) -> None:
        """Record the answer to a message; from any thread."""
        with self._lock:
            self.answers[at] = answer
            self._missing -= 1
            if not self._missing:
                self.done.set()
