"""Receives messages, reads their envelopes, and separates duplicates."""

import logging
from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import NamedTuple

from domain.model.consuming.lease import LeaseStatus, ProcessingLease
from domain.model.errors import (
    InfrastructureError,
    ProcessedEventsUnavailableError,
    UnreadableMessageError,
)
from domain.model.events.envelope import EventEnvelope
from domain.services.consuming.acknowledger import Acknowledger
from domain.services.consuming.erasures import respect_erasures
from domain.services.consuming.in_flight import InFlight, InFlightMessage
from domain.services.consuming.options import ConsumerOptions
from ports.deduplication_port import DeduplicationPort
from ports.queue_port import MAX_RECEIVE, QueueMessage, QueuePort

logger = logging.getLogger(__name__)


class ReceiveResult(NamedTuple):
    """Result of one receive."""

    received: int = 0  # number of messages
    for_handlers: int = 0  # how many of them go to a handler, now or once they are no longer blocked
    tests: int = 0  # how many were test events


class Receiver:
    """Receives messages for all threads; settles at once those that no handler gets."""

    def __init__(
        self,
        queue: QueuePort,
        deduplication: DeduplicationPort,
        acknowledger: Acknowledger,
        in_flight: InFlight,
        options: ConsumerOptions,
        stop: Event,  # no messages are accepted once this is set
        clock: Callable[[], float],  # monotonic seconds
        parse: Callable[[str], EventEnvelope],  # raises UnreadableMessageError
    ) -> None:
        self._queue = queue
        self._deduplication = deduplication
        self._acknowledger = acknowledger
        self._in_flight = in_flight
        self._options = options
        self._stop = stop
        self._clock = clock
        self._parse = parse

    def receive(self, limit: int, *, wait_seconds: int) -> ReceiveResult:
        """Receive up to `limit` messages and add their events to those in flight.

        Messages that arrive after a stop are released at once.

        Raises:
            InfrastructureError: the queue is unavailable.
            ProcessedEventsUnavailableError: the deduplication store is; the messages reappear later.
        """
        began, messages = self._clock(), self._receive_batch(limit, wait_seconds)
        while len(messages) % MAX_RECEIVE == 0 < len(messages) < limit and (
            more := self._receive_more(limit - len(messages))
        ):
            messages += more
        if self._stop.is_set():
            self._queue.release(messages)
            return ReceiveResult()
        readable = list(self._read(began, messages))
        tests = [message for message in readable if message.envelope.is_test]
        for test in tests:
            self._acknowledger.settle_test_event(test.message)
        events = [message for message in readable if not message.envelope.is_test]
        return ReceiveResult(len(messages), self._deduplicate_received(events), len(tests))

    def deduplicate(self, messages: Sequence[InFlightMessage]) -> int:
        """Lease the events: start those that are free, block those in progress, delete the others.

        Returns the number of messages that may be started or are blocked.

        Raises:
            ProcessedEventsUnavailableError: no lease can be had.
        """
        if not messages:
            return 0
        now, leased = self._clock(), list(zip(messages, self._acquire(messages), strict=True))
        for message, status in leased:
            message.lease = status if isinstance(status, ProcessingLease) else None
            message.renewed_at = now
        self._in_flight.add(message for message, _ in leased if message.lease)
        self._in_flight.block(message for message, status in leased if status is LeaseStatus.IN_PROGRESS)
        duplicates = [message for message, status in leased if status is LeaseStatus.COMPLETED]
        self._acknowledger.ack_duplicates(duplicates)
        erased = [message for message, status in leased if status is LeaseStatus.ERASED]
        self._acknowledger.ack_erased(erased, "its erasure was handled before")
        return len(leased) - len(duplicates) - len(erased)

    def check_deduplication(self) -> None:
        """Raise `ProcessedEventsUnavailableError` if the store is away, before a receive counts in vain."""
        self._deduplication.prune()

    def _deduplicate_received(self, messages: Sequence[InFlightMessage]) -> int:
        try:
            return self.deduplicate(messages)
        except ProcessedEventsUnavailableError:
            self._acknowledger.postpone([message.message for message in messages])
            raise

    def _acquire(self, messages: Sequence[InFlightMessage]) -> Sequence[ProcessingLease | LeaseStatus]:
        leases = self._deduplication.acquire(
            [message.key for message in messages], lease_seconds=self._options.lease_seconds
        )
        return respect_erasures(self._deduplication, leases)

    def _receive_batch(self, limit: int, wait_seconds: int) -> tuple[QueueMessage, ...]:
        return self._queue.receive(
            min(limit, MAX_RECEIVE),
            visibility_timeout=self._options.visibility_timeout,
            wait_seconds=wait_seconds,
        )

    def _receive_more(self, limit: int) -> tuple[QueueMessage, ...]:
        """Receive without waiting; leave an unavailable queue to the next receive."""
        try:
            return () if self._stop.is_set() else self._receive_batch(limit, 0)
        except InfrastructureError:
            return ()

    def _read(self, received_at: float, messages: Sequence[QueueMessage]) -> Iterator[InFlightMessage]:
        for message in messages:
            try:
                envelope = self._parse(message.body)
            except UnreadableMessageError as error:
                self._acknowledger.reject(message, str(error))
            except Exception as error:  # the other messages of the batch must not lose a receive
                logger.exception(
                    "unexpected error while reading a message", extra={"error_type": type(error).__name__}
                )
                self._acknowledger.reject(message, f"reading it raised {type(error).__name__}")
            else:
                yield InFlightMessage(message, envelope, received_at, received_at)
