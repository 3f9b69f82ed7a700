"""Consumer of a queue: receives messages, calls a handler for each event, and acknowledges."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from random import Random
from threading import Event, Thread

from domain.model.clock import utc_now
from domain.model.errors import HandlerError
from domain.model.events.envelope import parse_envelope
from domain.model.events.event import DEFAULT_EVENT_SOURCE
from domain.model.events.kinds import EventKind
from domain.services.consuming.acknowledger import Acknowledger
from domain.services.consuming.handler_circuit import HandlerCircuit, OutageLog
from domain.services.consuming.heartbeat import TICK_SECONDS, VisibilityHeartbeat
from domain.services.consuming.in_flight import InFlight
from domain.services.consuming.loop import ConsumerLoop, RunState
from domain.services.consuming.options import ConsumerOptions
from domain.services.consuming.processor import MessageProcessor
from domain.services.consuming.receiver import Receiver
from domain.services.consuming.stats import ConsumerStats
from ports.deduplication_port import DeduplicationPort
from ports.event_handler_port import EventHandlerPort
from ports.payload_store_port import PayloadStorePort
from ports.queue_port import QueuePort

__all__ = ["Consumer", "ConsumerOptions", "ConsumerStats"]

logger = logging.getLogger(__name__)

ABORT_SECONDS = 2.0
"""Time that handlers have to end after an abort."""


ERASURE_DAYS = 36_500.0
"""Days for which erasures are remembered: archives may keep events as long, and replays bring them back."""


class Consumer:
    """Consumer of one queue, with several threads that receive, handle and acknowledge.

    Each event is handled once, unless the process dies between the handler's success and the record of it,
    which follows at once on a quiet queue, and within a second on a full one. Its message is deleted after
    that. A message that fails or cannot be read reappears after a growing delay until the queue dead-letters
    it; apart from handled events only duplicates, events of erased transcripts and left-over test events are
    deleted.

    Attributes:
        stats: the counts of outcomes so far, readable from any thread.
    """

    def __init__(
        self,
        queue: QueuePort,  # hides received messages, and dead-letters those received too often
        handler: EventHandlerPort,  # is called from several threads
        deduplication: DeduplicationPort,  # the events that this group of consumers handled
        # the store that references of large events may point to; None for none
        payloads: PayloadStorePort | None = None,
        *,
        source: str = DEFAULT_EVENT_SOURCE,  # the expected `source` of events
        kind: EventKind = EventKind.COMPLETED,  # the expected kind of events; each has a queue of its own
        options: ConsumerOptions | None = None,
        clock: Callable[[], float] = time.monotonic,  # monotonic seconds
        now: Callable[[], datetime] = utc_now,  # the time that the age of test events is measured by
    ) -> None:
        options = options or ConsumerOptions()
        random = Random()  # noqa: S311 - spreads delays, keeps no secret
        circuit, outage_log = self._circuit, self._outage_log = HandlerCircuit(), OutageLog()
        self._queue, self._options, self._clock = queue, options, clock
        self._stop, self._changed = Event(), Event()
        self._in_flight, self.stats = InFlight(), ConsumerStats()
        if kind is EventKind.ERASED:
            options = replace(options, dedup_days=max(options.dedup_days, ERASURE_DAYS))
        self._acknowledger = Acknowledger(
            queue, deduplication, self._in_flight, self.stats, options, random, now
        )
        parse = partial(parse_envelope, source=source, kind=kind)
        receiver = Receiver(
            queue, deduplication, self._acknowledger, self._in_flight, options, self._stop, clock, parse
        )
        self._heartbeat = VisibilityHeartbeat(
            queue, deduplication, receiver, self._acknowledger, self._in_flight, outage_log, options, clock
        )
        self._processor = MessageProcessor(
            handler, payloads, self._acknowledger, self._in_flight, circuit, self.stats, clock
        )
        state = RunState(options, self._stop)
        self._loops = [
            ConsumerLoop(
                state, receiver, self._processor, self._in_flight, circuit, outage_log, clock, random
            )
            for _ in range(options.threads)
        ]

    def run(self) -> ConsumerStats:
        """Work until `stop` is called, or until the end that the options ask for.

        The threads are daemons: a stuck handler does not keep the process alive.

        Raises:
            InfrastructureError: the queue is unavailable at the start; later outages are waited out.
            HandlerError: every thread is stuck in its handler; their messages will be redelivered.
        """
        self._queue.depth()
        logger.info("consumer started", extra={"threads": len(self._loops)})
        threads = [
            Thread(target=self._run_loop, args=(loop,), name=f"consumer-{number}", daemon=True)
            for number, loop in enumerate(self._loops)
        ]
        for thread in threads:
            thread.start()
        self._supervise(threads, math.inf, until=self._stop.is_set)
        stuck = 0 if self._stop.is_set() else self._heartbeat.count_stuck()
        self._shut_down(threads)
        logger.info("consumer stopped", extra=dict(self.stats.as_dict()))
        if stuck:
            raise HandlerError(f"{stuck} handlers are stuck and no thread is left: restart the consumer")
        return self.stats

    def stop(self) -> None:
        """Start no new work, finish running handlers, and let `run` return; callable from any thread."""
        self._stop.set()
        self._changed.set()

    def abort(self) -> None:
        """Abort running handlers that can be aborted; for a process that ends at once."""
        self._processor.abort()

    @property
    def is_paused(self) -> bool:
        """True while the queue, the database or the handlers are unavailable; callable from any thread."""
        return self._circuit.is_open or self._outage_log.is_on

    def _run_loop(self, loop: ConsumerLoop) -> None:
        try:
            loop.run()
        finally:
            self._changed.set()

    def _supervise(self, threads: Sequence[Thread], seconds: float, until: Callable[[], bool]) -> None:
        """Tick the heartbeat while a thread is alive and not stuck."""
        deadline = self._clock() + seconds
        while self._heartbeat.count_stuck() < _alive(threads) and not until() and self._clock() < deadline:
            self._changed.wait(TICK_SECONDS)
            self._changed.clear()
            self._heartbeat.tick()

    def _shut_down(self, threads: Sequence[Thread]) -> None:
        self._stop.set()
        self._acknowledger.release(self._in_flight.take_waiting())
        if _alive(threads):
            logger.info("consumer stopping", extra={"in_flight": len(self._in_flight)})
        self._supervise(threads, self._options.shutdown_timeout, until=lambda: False)
        if _alive(threads):
            self._processor.abort()
            self._supervise(threads, ABORT_SECONDS, until=lambda: False)
        self._processor.flush()
        self._acknowledger.release(self._in_flight.take_waiting())
        self._release_unfinished()

    def _release_unfinished(self) -> None:
        unfinished = [message for message in self._in_flight.all() if not message.is_stuck]
        if unfinished:
            logger.warning(
                "handlers did not end within the shutdown timeout, messages released",
                extra={"events": len(unfinished)},
            )
            self._acknowledger.release(unfinished)


def _alive(threads: Sequence[Thread]) -> int:
    return sum(thread.is_alive() for thread in threads)
