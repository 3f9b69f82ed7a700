"""Reads a queue the right way, and has each event handled once."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event, Thread

from domain.model.clock import utc_now
from domain.model.errors import HandlerError
from domain.model.events.event import DEFAULT_EVENT_SOURCE
from domain.services.consuming.acknowledger import Endings
from domain.services.consuming.heartbeat import BEAT_SECONDS, Keeper
from domain.services.consuming.loop import Crew
from domain.services.consuming.receiver import Intake
from domain.services.consuming.stats import ConsumerStats
from domain.services.consuming.workplace import ConsumerOptions, Workplace
from ports.deduplication_port import DeduplicationPort
from ports.event_handler_port import EventHandlerPort
from ports.payload_store_port import PayloadStorePort
from ports.queue_port import QueuePort

__all__ = ["Consumer", "ConsumerOptions", "ConsumerStats"]

logger = logging.getLogger(__name__)

ABORT_SECONDS = 2.0
"""How long handlers have for their end when they must end at once."""


class Consumer:
    """A worker on one queue, with a number of threads that receive, handle and settle.

    Each event is handled once, unless a process dies between a handler's success and the note of it, which
    follows at once on a quiet queue, and within a second on a full one. Its message is deleted after that.
    What fails, or cannot be read, comes again after a growing pause until the queue dead-letters it; nothing
    else is ever deleted but duplicates and left over test events.

    Args:
        queue: hides what is received, and dead-letters what is received too often.
        handler: is called from several threads.
        processed: what this consumer and its like have worked off.
        payloads: where the references of large events may lead; None for nowhere.
        source: whose events are expected.
        clock: seconds that only go forward.
        now: for the age of test events.
    """

    def __init__(
        self,
        queue: QueuePort,
        handler: EventHandlerPort,
        processed: DeduplicationPort,
        payloads: PayloadStorePort | None = None,
        *,
        source: str = DEFAULT_EVENT_SOURCE,
        options: ConsumerOptions | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._place = Workplace(queue, processed, options or ConsumerOptions(), source, clock, now)
        self._endings = Endings(self._place)
        intake = Intake(self._place, self._endings)
        self._keeper = Keeper(self._place, intake, self._endings)
        self._crew = Crew(self._place, handler, payloads, intake, self._endings)
        self._news = Event()

    def run(self) -> ConsumerStats:
        """Work until `stop` is called, or until what the options ask for is done.

        The threads are daemons: one whose handler hangs does not keep the process alive.

        Raises:
            InfrastructureError: the queue cannot be reached at the start. Later that is waited for.
            HandlerError: every thread hangs in its handler. What they had in hand comes again.
        """
        self._place.queue.depth()
        logger.info("consumer started", extra={"threads": self._place.options.threads})
        threads = [
            Thread(target=self._work, name=f"consumer-{number}", daemon=True)
            for number in range(self._place.options.threads)
        ]
        for thread in threads:
            thread.start()
        self._attend(threads, math.inf, until=self._place.stop.is_set)
        hung = 0 if self._place.stop.is_set() else self._keeper.hung()
        self._end(threads)
        logger.info("consumer stopped", extra=dict(self._place.tally.as_dict()))
        if hung:
            raise HandlerError(f"{hung} handlers hang, and nobody is left to work: start the consumer anew")
        return self._place.tally

    def stop(self) -> None:
        """Begin nothing new, finish what is in hand, and come to an end; from any thread."""
        self._place.stop.set()
        self._news.set()

    def abort(self) -> None:
        """Have the handlers end, as far as they can be made to; for a process that ends at once."""
        self._crew.abort()

    def _work(self) -> None:
        try:
            self._crew.work()
        finally:
            self._news.set()

    def _attend(self, threads: Sequence[Thread], seconds: float, until: Callable[[], bool]) -> None:
        """Keep what is in hand while anybody works on it, and does not hang."""
        deadline = self._place.clock() + seconds
        while self._keeper.hung() < _alive(threads) and not until() and self._place.clock() < deadline:
            self._news.wait(BEAT_SECONDS)
            self._news.clear()
            self._keeper.beat()

    def _end(self, threads: Sequence[Thread]) -> None:
        self._place.stop.set()
        self._endings.put_back(self._place.in_hand.take_waiting())
        if _alive(threads):
            logger.info("consumer stops", extra={"in_hand": len(self._place.in_hand)})
        self._attend(threads, self._place.options.grace_seconds, until=lambda: False)
        if _alive(threads):
            self._crew.abort()
            self._attend(threads, ABORT_SECONDS, until=lambda: False)
        self._endings.succeed(self._place.in_hand.take_done(math.inf))
        self._endings.put_back(self._place.in_hand.take_waiting())
        left = [delivery for delivery in self._place.in_hand.everything() if not delivery.is_hung]
        if left:
            logger.warning("not finished in time, and put back", extra={"events": len(left)})
            self._endings.put_back(left)


def _alive(threads: Sequence[Thread]) -> int:
    return sum(thread.is_alive() for thread in threads)
