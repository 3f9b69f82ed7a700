"""Acknowledges messages: deletes those that were handled, and makes the others visible again."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random

from domain.model.consuming.lease import ProcessingLease
from domain.model.errors import InfrastructureError, ProcessedEventsUnavailableError
from domain.model.route.test_event import LEFT_OVER_AFTER, is_left_over
from domain.services.consuming.in_flight import InFlight, InFlightMessage
from domain.services.consuming.options import ConsumerOptions
from domain.services.consuming.stats import ConsumerStats, MessageOutcome
from domain.services.resilience.backoff import Backoff
from ports.deduplication_port import DeduplicationPort
from ports.queue_port import QueueMessage, QueuePort

logger = logging.getLogger(__name__)

MAX_RETRY_DELAY = 900.0
"""The longest delay between two tries, in seconds."""


class Acknowledger:
    """Reports the outcome of messages to the queue and the deduplication store.

    Only handled events, duplicates of them, events of erased transcripts and left-over test events are
    deleted. The queue itself dead-letters what fails too often: with three receives and a first delay of 30
    seconds, the last try comes about two minutes after the first.
    """

    def __init__(
        self,
        queue: QueuePort,
        deduplication: DeduplicationPort,
        in_flight: InFlight,
        stats: ConsumerStats,
        options: ConsumerOptions,
        random: Random,
        now: Callable[[], datetime],  # the time that the age of test events is measured by
    ) -> None:
        self._queue = queue
        self._deduplication = deduplication
        self._in_flight = in_flight
        self._stats = stats
        self._retention_seconds = options.retention_seconds
        self._backoff = Backoff(options.retry_delay, MAX_RETRY_DELAY, growth=4, least=0.5)
        self._random = random
        self._now = now

    def ack(self, messages: Sequence[InFlightMessage]) -> None:
        """Record handled events as completed, and only then delete their messages."""
        if not messages:
            return
        try:
            self._deduplication.complete(_leases(messages), retention_seconds=self._retention_seconds)
        except ProcessedEventsUnavailableError as error:
            logger.error(  # noqa: TRY400 - an expected outage, and the error names its cause
                "event handled but not recorded as completed, a duplicate would be handled again",
                extra={"events": len(messages), "error": str(error)},
            )
        self._delete_in_flight(messages, MessageOutcome.HANDLED)

    def ack_duplicates(self, messages: Sequence[InFlightMessage]) -> None:
        """Delete duplicates of handled events."""
        if not messages:
            return
        for message in messages:
            logger.info("duplicate skipped", extra=log_context(message))
        self._delete_in_flight(messages, MessageOutcome.DUPLICATE)

    def ack_erased(self, messages: Sequence[InFlightMessage], reason: str) -> None:
        """Delete the events of erased transcripts; no handler gets them."""
        if not messages:
            return
        for message in messages:
            context = {**log_context(message), "reason": reason}
            logger.warning("transcript erased, its event is dropped", extra=context)
        self._release_leases(messages)
        self._delete_in_flight(messages, MessageOutcome.ERASED)

    def nack(self, message: InFlightMessage, reason: str) -> None:
        """Return a failed message to the queue, visible again after the retry delay."""
        self._release_leases([message])
        delay = self._retry_delay(message.message)
        logger.warning(
            "event not handled", extra={**log_context(message), "error": reason, "pause_seconds": delay}
        )
        self.change_visibility([message.message], delay)
        self._in_flight.drop([message])
        self._stats.count_failure(message.key)

    def retain(self, message: InFlightMessage, reason: str) -> None:
        """Keep a failed message in flight during an outage, for another try without a receive."""
        logger.debug(
            "event not handled, tried again without a receive",
            extra={**log_context(message), "error": reason},
        )
        self._in_flight.retry(message)
        self._stats.count_failure(message.key)

    def reject(self, message: QueueMessage, reason: str) -> None:
        """Return an unreadable message to the queue, which dead-letters it after its last receive."""
        extra = {"message_id": message.id, "receive_count": message.receive_count, "error": reason}
        logger.error("message not readable, the queue dead-letters it after its last receive", extra=extra)
        self.postpone([message])
        self._stats.count(MessageOutcome.UNREADABLE)

    def postpone(self, messages: Sequence[QueueMessage]) -> None:
        """Return messages to the queue, visible again after the retry delay."""
        for message in messages:
            self.change_visibility([message], self._retry_delay(message))

    def release(self, messages: Sequence[InFlightMessage]) -> None:
        """Return messages that were not handled to the queue, visible at once."""
        if not messages:
            return
        self._release_leases(messages)
        self._queue.release([message.message for message in messages])
        self._in_flight.drop(messages)

    def settle_test_event(self, message: QueueMessage) -> None:
        """Leave a test event to `transcripts verify`, and delete it once it is left over.

        Releasing it again and again would dead-letter it; from its second receive on it is hidden until it is
        left over.
        """
        if is_left_over(message.body, self._now()):
            self._delete([message])
        elif message.receive_count == 1:
            self._queue.release([message])
        else:
            self.change_visibility([message], round(LEFT_OVER_AFTER.total_seconds()))
        self._stats.count(MessageOutcome.TEST_EVENT)

    def change_visibility(self, messages: Sequence[QueueMessage], seconds: int) -> None:
        """Hide messages for that many seconds from now; log a failure."""
        try:
            self._queue.change_visibility(messages, visibility_timeout=seconds)
        except InfrastructureError as error:
            logger.warning(
                "could not change visibility, messages reappear after the visibility timeout",
                extra={"error": str(error)},
            )

    def _delete_in_flight(self, messages: Sequence[InFlightMessage], outcome: MessageOutcome) -> None:
        self._delete([message.message for message in messages])
        self._in_flight.drop(messages)
        self._stats.count(outcome, len(messages))
        self._stats.forget_failures(message.key for message in messages)

    def _delete(self, messages: Sequence[QueueMessage]) -> None:
        try:
            self._queue.delete(messages)
        except InfrastructureError as error:
            logger.warning("delete failed, messages will be redelivered", extra={"error": str(error)})

    def _release_leases(self, messages: Sequence[InFlightMessage]) -> None:
        try:
            self._deduplication.release(_leases(messages))
        except ProcessedEventsUnavailableError as error:
            logger.warning(
                "could not release leases, events are blocked until they expire", extra={"error": str(error)}
            )

    def _retry_delay(self, message: QueueMessage) -> int:
        """Return whole seconds until the next try: the delay grows fourfold with each receive."""
        return round(self._backoff.delay(max(message.receive_count - 1, 0), self._random))


def log_context(message: InFlightMessage) -> dict[str, object]:
    """Return the log fields that identify a message and its event."""
    return {
        "message_id": message.message.id,
        "interaction_id": str(message.key.interaction_id),
        "replay": message.key.replay,
        "receive_count": message.message.receive_count,
    }


def _leases(messages: Sequence[InFlightMessage]) -> list[ProcessingLease]:
    return [message.lease for message in messages if message.lease]
