"""How a consumer takes messages into its hands: receives them, reads them, and tells duplicates."""

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from domain.model.consuming.lease import LeaseStatus, ProcessingLease
from domain.model.errors import (
    InfrastructureError,
    ProcessedEventsUnavailableError,
    UnreadableMessageError,
)
from domain.model.events.envelope import parse_envelope
from domain.model.route.test_event import LEFT_OVER_AFTER, is_left_over
from domain.services.consuming.acknowledger import Endings
from domain.services.consuming.in_flight import BATCH, Delivery
from domain.services.consuming.stats import MessageOutcome
from domain.services.consuming.workplace import Workplace
from ports.queue_port import QueueMessage

logger = logging.getLogger(__name__)


class Catch(NamedTuple):
    """What one receive brought.

    Attributes:
        found: how many messages.
        for_handlers: how many of them a handler gets now, or may get later.
        tests: how many were test events.
    """

    found: int = 0
    for_handlers: int = 0
    tests: int = 0


class Intake:
    """Receives, and puts away at once what no handler is to get."""

    def __init__(self, place: Workplace, endings: Endings) -> None:
        self._place = place
        self._endings = endings

    def receive(self, limit: int, *, wait_seconds: int) -> Catch:
        """Take messages, and get everything that can be handled into the pile.

        Where the consumer was told to stop meanwhile, what came is released at once.

        Raises:
            InfrastructureError: the queue is away.
            ProcessedEventsUnavailableError: the memory is; what came comes again later.
        """
        began, messages = self._place.clock(), self._take(limit, wait_seconds)
        while len(messages) % BATCH == 0 < len(messages) < limit and (
            more := self._take_more(limit - len(messages))
        ):
            messages += more
        if self._place.stop.is_set():
            self._place.queue.release(messages)
            return Catch()
        deliveries = list(self._read(began, messages))
        tests = [delivery for delivery in deliveries if delivery.delivered.is_test]
        for test in tests:
            self._put_away(test.message)
        events = [delivery for delivery in deliveries if not delivery.delivered.is_test]
        return Catch(len(messages), self.claim(events), len(tests))

    def _take(self, limit: int, wait_seconds: int) -> tuple[QueueMessage, ...]:
        return self._place.queue.receive(
            min(limit, BATCH),
            visibility_timeout=self._place.options.visibility_timeout,
            wait_seconds=wait_seconds,
        )

    def _take_more(self, limit: int) -> tuple[QueueMessage, ...]:
        """What is there; a queue that goes away meanwhile is noticed by the next receive."""
        try:
            return () if self._place.stop.is_set() else self._take(limit, 0)
        except InfrastructureError:
            return ()

    def claim(self, deliveries: Sequence[Delivery]) -> int:
        """Lease what is free, delete what is done, and park what somebody else has in hand.

        Returns:
            How many are held or parked.

        Raises:
            ProcessedEventsUnavailableError: nothing can be told; the messages come again later.
        """
        if not deliveries:
            return 0
        try:
            statuses = self._place.processed.acquire(
                [delivery.key for delivery in deliveries], lease_seconds=self._place.options.lease_seconds
            )
        except ProcessedEventsUnavailableError:
            self._endings.postpone([delivery.message for delivery in deliveries])
            self._place.in_hand.drop(deliveries)
            raise
        found = list(zip(deliveries, statuses, strict=True))
        for delivery, status in found:
            delivery.lease = status if isinstance(status, ProcessingLease) else None
        self._place.in_hand.add(delivery for delivery, _ in found if delivery.lease)
        self._place.in_hand.park(delivery for delivery, status in found if status is LeaseStatus.IN_PROGRESS)
        done = [delivery for delivery, status in found if status is LeaseStatus.COMPLETED]
        self._endings.skip(done)
        return len(found) - len(done)

    def _read(self, received_at: float, messages: Sequence[QueueMessage]) -> Iterator[Delivery]:
        for message in messages:
            try:
                delivered = parse_envelope(message.body, self._place.source)
            except UnreadableMessageError as error:
                self._endings.refuse(message, str(error))
            except Exception as error:  # its neighbours must not pay for it with a receive
                logger.exception("reading broke down", extra={"error_type": type(error).__name__})
                self._endings.refuse(message, f"reading it raised {type(error).__name__}")
            else:
                yield Delivery(message, delivered, received_at, received_at)

    def _put_away(self, test: QueueMessage) -> None:
        """Leave a test event to whoever looks for it; delete it where nobody does any more.

        Released again and again, it would be dead-lettered; so it is hidden until it is left over.
        """
        if is_left_over(test.body, self._place.now()):
            self._endings.delete([test])
        elif test.receive_count == 1:
            self._place.queue.release([test])
        else:
            self._endings.hide([test], round(LEFT_OVER_AFTER.total_seconds()))
        self._place.tally.count(MessageOutcome.TEST_EVENT)
