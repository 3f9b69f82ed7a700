"""What each thread of a consumer does: take the next event, have it handled, settle; or receive more."""

import logging
import math
from contextlib import nullcontext
from dataclasses import dataclass
from threading import Event, Lock

from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import (
    HandlerError,
    InfrastructureError,
    PayloadStoreError,
    ProcessedEventsUnavailableError,
)
from domain.model.events.event import BatchProcessingCompletedV2
from domain.services.claim_check import restore_payload
from domain.services.consuming.acknowledger import Endings
from domain.services.consuming.allowance import Allowance
from domain.services.consuming.handler_circuit import TRIES_BEFORE_THE_END
from domain.services.consuming.in_flight import BATCH, GATHERED, Delivery
from domain.services.consuming.receiver import Catch, Intake
from domain.services.consuming.workplace import Workplace
from domain.services.resilience.backoff import Backoff
from ports.event_handler_port import EventHandlerPort
from ports.payload_store_port import PayloadStorePort

logger = logging.getLogger(__name__)

PAUSE = Backoff()
"""The pause of a thread after the queue or the database failed."""

WAIT_SECONDS = 20
"""How long a receive waits for a message: as long as SQS lets it."""
DRAIN_WAIT_SECONDS = 2
"""The same, where an empty queue is the end."""
TEST_PAUSE_SECONDS = 3.0
"""For so long whoever looks for a test event has the queue to himself, unless it is busy."""


OUTAGE_WAIT_SECONDS = 1.0
"""How long a thread waits while another one tries whether handlers succeed again, or nobody is to."""


@dataclass(slots=True)
class Hand:
    """What one thread remembers.

    Attributes:
        is_idle: its last receive brought nothing; of those who are idle, one receives at a time.
        setbacks: how often in a row something was away.
    """

    is_idle: bool = True
    setbacks: int = 0


class Crew:
    """Shared by all threads of a consumer.

    Args:
        handler: is called from several threads.
        payloads: where references may lead; None for nowhere.
    """

    def __init__(
        self,
        place: Workplace,
        handler: EventHandlerPort,
        payloads: PayloadStorePort | None,
        intake: Intake,
        endings: Endings,
    ) -> None:
        self._place = place
        self._handler = handler
        self._payloads = payloads
        self._intake = intake
        self._endings = endings
        self._allowance = Allowance(place.options.max_messages)
        self._idle_turn = Lock()
        self._drained = Event()
        self._aborted = False

    def work(self) -> None:
        """Go on until the consumer is told to stop, or there is nothing left that it was asked for."""
        hand = Hand()
        while not self._place.stop.is_set() and self.step(hand):
            pass

    def abort(self) -> None:
        """Have handlers end at once; what they had in hand is put back."""
        self._aborted = True
        self._handler.abort()

    def step(self, hand: Hand) -> bool:
        """Handle one event or receive some; tells whether there may be more."""
        try:
            if self._place.outage.is_on:
                return self._sit_out(hand)
            delivery = self._place.in_hand.start(self._place.clock())
            if delivery is None:
                return self._receive(hand, self._place.in_hand.room())
            self._handle(delivery)
        except (InfrastructureError, ProcessedEventsUnavailableError) as error:
            self._rest(hand, str(error))
        except Exception as error:
            logger.exception("the consumer broke down", extra={"error_type": type(error).__name__})
            self._rest(hand, f"the consumer broke down: {type(error).__name__}")
        return True

    def _sit_out(self, hand: Hand) -> bool:
        """While handlers fail whatever they get, one thread tries an event now and then, the others wait."""
        if self._is_over():
            return False
        if not self._place.outage.begin_try(self._place.clock()):
            self._place.stop.wait(OUTAGE_WAIT_SECONDS)
            return True
        had_event = False
        try:
            delivery = self._candidate(hand)
            if delivery is not None:
                had_event = True
                self._handle(delivery)
        finally:
            self._place.outage.end_try(self._place.clock(), had_event=had_event)
        return True

    def _is_over(self) -> bool:
        """Whether a run that is to end by itself has nothing left, or waited for long enough."""
        if not self._place.options.ends_by_itself:
            return False
        has_nothing = self._drained.is_set() or self._allowance.is_spent
        gives_up = self._place.outage.tries >= TRIES_BEFORE_THE_END
        return gives_up or (has_nothing and not self._place.in_hand.waiting())

    def _candidate(self, hand: Hand) -> Delivery | None:
        """An event that is new, or else one that failed before: it is kept, so that no receive counts."""
        before = self._place.in_hand.waiting()
        if before < GATHERED:
            self._receive(hand, 1)
        if self._place.stop.is_set():
            return None
        is_new = self._place.in_hand.waiting() > before
        return self._place.in_hand.start(self._place.clock(), newest=is_new)

    def _handle(self, delivery: Delivery) -> None:
        try:
            self._handler.handle(self._received(delivery))
        except (HandlerError, PayloadStoreError) as error:
            self._failed(delivery, str(error))
        except BaseException as error:  # noqa: BLE001 - anything of a stranger's code; signals meet the main thread
            self._failed(delivery, f"the handler raised {type(error).__name__}")
        else:
            self._place.outage.succeeded()
            self._endings.succeed(self._place.in_hand.finish(delivery, self._place.clock()))

    def _received(self, delivery: Delivery) -> ReceivedEvent:
        event, message = delivery.delivered.event, delivery.message
        if isinstance(event, BatchProcessingCompletedV2):
            event = restore_payload(event, self._payloads)
        return ReceivedEvent(event, delivery.delivered.replay, message.receive_count, message.sent_at)

    def _failed(self, delivery: Delivery, reason: str) -> None:
        self._place.in_hand.measure(delivery, self._place.clock())
        if self._aborted:
            self._endings.put_back([delivery])
            return
        if self._place.outage.failed(delivery.key, reason, self._place.clock()):
            self._place.tally.count_pause()
        if self._place.outage.keeps(delivery):
            self._endings.keep(delivery, reason)
        else:
            self._endings.fail(delivery, reason)

    def _receive(self, hand: Hand, room: int) -> bool:
        limit = self._allowance.take(room)
        catch = Catch()
        try:
            with self._idle_turn if hand.is_idle else nullcontext():
                if not limit or self._drained.is_set() or self._place.stop.is_set():
                    return False
                catch = self._catch(limit)
                if catch.tests:
                    self._place.stop.wait(TEST_PAUSE_SECONDS)
        finally:
            self._allowance.give_back(limit - catch.for_handlers)
        hand.is_idle, hand.setbacks = not catch.found, 0
        return self._goes_on(catch)

    def _catch(self, limit: int) -> Catch:
        if self._place.trouble.is_on:  # ask the memory first: a message that is received for nothing counts
            self._place.processed.prune()
        catch = self._intake.receive(limit, wait_seconds=self._wait_seconds())
        self._place.trouble.end()
        self._place.in_hand.is_busy = catch.found >= BATCH
        if not catch.found:
            self._endings.succeed(self._place.in_hand.take_done(math.inf))
        return catch

    def _wait_seconds(self) -> int:
        """Nothing that is in hand waits for a queue that has no more: no success, and no event to try."""
        if self._place.in_hand.has_done() or self._place.in_hand.waiting():
            return 0
        return DRAIN_WAIT_SECONDS if self._place.options.drain else WAIT_SECONDS

    def _goes_on(self, catch: Catch) -> bool:
        """Where an empty queue is the end, look whether it is; others may have found more meanwhile."""
        if not self._place.options.drain:
            return True
        if catch.found:
            self._drained.clear()
        elif self._place.in_hand.is_idle():
            self._drained.set()
        return not self._drained.is_set()

    def _rest(self, hand: Hand, reason: str) -> None:
        self._place.trouble.begin(reason)
        hand.setbacks += 1
        self._place.stop.wait(PAUSE.delay(hand.setbacks, self._place.random))
