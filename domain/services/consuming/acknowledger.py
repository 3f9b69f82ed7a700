"""How messages leave a consumer's hands: deleted, or visible again."""

import logging
from collections.abc import Sequence
from random import Random

from domain.model.consuming.lease import ProcessingLease
from domain.model.errors import InfrastructureError, ProcessedEventsUnavailableError
from domain.services.consuming.in_flight import Delivery
from domain.services.consuming.stats import MessageOutcome
from domain.services.consuming.workplace import Workplace
from domain.services.resilience.backoff import Backoff
from ports.queue_port import QueueMessage

logger = logging.getLogger(__name__)

MAX_RETRY_DELAY = 900.0
"""The longest delay between two tries, in seconds."""


def retry_delay(receives: int, first_seconds: float, random: Random) -> int:
    """Return whole seconds until the next try: the delay grows fourfold with each receive.

    With three receives and a first delay of 30 seconds, the last try comes about two minutes after the first.
    """
    backoff = Backoff(first_seconds, MAX_RETRY_DELAY, growth=4, least=0.5)
    return round(backoff.delay(max(receives - 1, 0), random))


class Endings:
    """Writes down what became of messages, towards the queue and the memory of what was worked off.

    Nothing is deleted but what was handled, now or before, and left over test events. What fails too often is
    dead-lettered by the queue itself.
    """

    def __init__(self, place: Workplace) -> None:
        self._place = place

    def succeed(self, deliveries: Sequence[Delivery]) -> None:
        """They were handled: remember them, and only then delete their messages."""
        if not deliveries:
            return
        try:
            self._place.processed.complete(
                _leases(deliveries), retention_seconds=self._place.options.retention_seconds
            )
        except ProcessedEventsUnavailableError as error:
            logger.exception(
                "handled, but not remembered: a duplicate would be handled again",
                extra={"events": len(deliveries), "error": str(error)},
            )
        self.delete([delivery.message for delivery in deliveries])
        self._place.in_hand.drop(deliveries)
        self._place.tally.count(MessageOutcome.HANDLED, len(deliveries))
        self._place.tally.forget_failures(delivery.key for delivery in deliveries)

    def fail(self, delivery: Delivery, reason: str) -> None:
        """It was not handled: it comes again after a pause."""
        self._give_up([delivery])
        pause = self._pause(delivery.message)
        logger.warning(
            "event not handled", extra={**context(delivery), "error": reason, "pause_seconds": pause}
        )
        self.hide([delivery.message], pause)
        self._place.in_hand.drop([delivery])
        self._place.tally.count_failure(delivery.key)

    def keep(self, delivery: Delivery, reason: str) -> None:
        """It was not handled, as others were not: it stays in hand, and is tried again."""
        logger.debug("event not handled, it stays in hand", extra={**context(delivery), "error": reason})
        self._place.in_hand.again(delivery)
        self._place.tally.count_failure(delivery.key)

    def refuse(self, message: QueueMessage, reason: str) -> None:
        """It cannot be read: no handler gets it, and nobody deletes it."""
        extra = {"message_id": message.id, "receive_count": message.receive_count, "error": reason}
        logger.error("message not readable, it is on its way to the dead letters", extra=extra)
        self.hide([message], self._pause(message))
        self._place.tally.count(MessageOutcome.UNREADABLE)

    def skip(self, deliveries: Sequence[Delivery]) -> None:
        """They are duplicates of what was handled."""
        if not deliveries:
            return
        for delivery in deliveries:
            logger.info("duplicate skipped", extra=context(delivery))
        self.delete([delivery.message for delivery in deliveries])
        self._place.in_hand.drop(deliveries)
        self._place.tally.count(MessageOutcome.DUPLICATE, len(deliveries))
        self._place.tally.forget_failures(delivery.key for delivery in deliveries)

    def postpone(self, messages: Sequence[QueueMessage]) -> None:
        """Nothing is wrong with them, but now is no time for them."""
        for message in messages:
            self.hide([message], self._pause(message))

    def put_back(self, deliveries: Sequence[Delivery]) -> None:
        """They were not handled, and others may do it at once."""
        if not deliveries:
            return
        self._give_up(deliveries)
        self._place.queue.release([delivery.message for delivery in deliveries])
        self._place.in_hand.drop(deliveries)

    def delete(self, messages: Sequence[QueueMessage]) -> None:
        """Delete; what stays comes again, and is recognised then."""
        try:
            self._place.queue.delete(messages)
        except InfrastructureError as error:
            logger.warning("messages not deleted, they come again", extra={"error": str(error)})

    def _give_up(self, deliveries: Sequence[Delivery]) -> None:
        try:
            self._place.processed.release(_leases(deliveries))
        except ProcessedEventsUnavailableError as error:
            logger.warning("not given up: it takes until the lease is over", extra={"error": str(error)})

    def hide(self, messages: Sequence[QueueMessage], seconds: int) -> None:
        """Keep from everybody for so long; what cannot be hidden stays as it is."""
        try:
            self._place.queue.change_visibility(messages, visibility_timeout=seconds)
        except InfrastructureError as error:
            logger.warning("messages stay hidden until their time is up", extra={"error": str(error)})

    def _pause(self, message: QueueMessage) -> int:
        first = self._place.options.pause_seconds
        return retry_delay(message.receive_count, first, self._place.random)


def context(delivery: Delivery) -> dict[str, object]:
    """What a log line about a message says: which one, and which event."""
    return {
        "message_id": delivery.message.id,
        "interaction_id": str(delivery.key.interaction_id),
        "replay": delivery.key.replay,
        "receive_count": delivery.message.receive_count,
    }


def _leases(deliveries: Sequence[Delivery]) -> list[ProcessingLease]:
    return [delivery.lease for delivery in deliveries if delivery.lease]
