"""Loop of one consumer thread: handles the next in-flight message, or receives more."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from random import Random
from threading import Event, Lock

from domain.model.errors import InfrastructureError, ProcessedEventsUnavailableError
from domain.services.consuming.handler_circuit import MAX_PROBES_BEFORE_END, HandlerCircuit, OutageLog
from domain.services.consuming.in_flight import MAX_PREFETCH, InFlight, InFlightMessage
from domain.services.consuming.options import ConsumerOptions
from domain.services.consuming.processor import MessageProcessor
from domain.services.consuming.receiver import Receiver, ReceiveResult
from domain.services.resilience.backoff import Backoff
from ports.queue_port import MAX_RECEIVE

logger = logging.getLogger(__name__)

OUTAGE_BACKOFF = Backoff()
"""Delays of a thread after the queue or the database failed."""

WAIT_SECONDS = 20
"""Wait time of a receive: the longest that SQS allows."""

DRAIN_WAIT_SECONDS = 2
"""Wait time of a receive if an empty queue ends the run."""

TEST_PAUSE_SECONDS = 3.0
"""Pause in receiving after a test event, so that `transcripts verify` can fetch it."""

PROBE_WAIT_SECONDS = 1.0
"""Wait time of a thread while the handler circuit is open and it may not probe."""

BUDGET_WAIT_SECONDS = 1.0
"""Wait time of a thread that may receive nothing, while the end of the run is not certain."""


class MessageBudget:
    """Number of events that a run may still handle, shared by its threads; None for no limit.

    A thread holds a part of it while it receives. An event that was blocked counts as well, even if another
    consumer handles it: the run waited for it.
    """

    def __init__(self, left: int | None) -> None:
        self._left = left
        self._held = 0
        self._lock = Lock()

    @property
    def is_spent(self) -> bool:
        """True if no event may be taken, and none is held that could be returned."""
        with self._lock:
            return self._left == 0 and not self._held

    def take(self, wanted: int) -> int:
        """Take as many as wanted, or as are left; return their number."""
        with self._lock:
            if self._left is None:
                return wanted
            taken = min(wanted, self._left)
            self._left -= taken
            self._held += taken
            return taken

    def settle(self, taken: int, received: int) -> None:
        """Return the events that were taken and not received; the caller holds none any more."""
        with self._lock:
            if self._left is not None:
                self._held -= taken
                self._left += taken - received


class RunState:
    """Progress of one run towards its end, shared by its threads."""

    def __init__(self, options: ConsumerOptions, stop: Event) -> None:
        self.options = options  # the conditions of the end
        self.stop = stop  # set when no new work may begin
        self.budget = MessageBudget(options.max_messages)  # number of events that may still be handled
        # held by an idle thread while it receives, so that only one of them long-polls
        self.idle_turn = Lock()
        self.drained = Event()  # set while the queue is empty and nothing is in flight, if that ends the run

    @property
    def has_received_all(self) -> bool:
        """True if the options ask for no more messages."""
        return self.drained.is_set() or self.budget.is_spent


class ConsumerLoop:
    """Loop of one thread; all other parts are shared by the threads of a consumer."""

    def __init__(
        self,
        run_state: RunState,
        receiver: Receiver,
        processor: MessageProcessor,
        in_flight: InFlight,
        circuit: HandlerCircuit,
        outage_log: OutageLog,
        clock: Callable[[], float],  # monotonic seconds
        random: Random,  # spreads the delays
    ) -> None:
        self._run_state = run_state
        self._receiver = receiver
        self._processor = processor
        self._in_flight = in_flight
        self._circuit = circuit
        self._outage_log = outage_log
        self._clock = clock
        self._random = random
        self._is_idle = True  # the last receive returned nothing
        self._failures = 0  # in a row, of the queue or the database

    def run(self) -> None:
        """Work until the consumer is stopped or the run has reached its end."""
        while not self._run_state.stop.is_set() and self.step():
            pass

    def step(self) -> bool:
        """Handle one event or receive some; return False at the end of the run."""
        try:
            if self._circuit.is_open:
                return self._probe()
            message = self._in_flight.start(self._clock())
            if message is None:
                return self._receive(self._in_flight.prefetch_limit) or self._wait_for_more()
            self._processor.process(message)
        except (InfrastructureError, ProcessedEventsUnavailableError) as error:
            self._pause(str(error))
        except Exception as error:
            logger.exception(
                "unexpected error in a consumer thread, tried again after a delay",
                extra={"error_type": type(error).__name__},
            )
            self._pause(f"unexpected error in the consumer: {type(error).__name__}")
        return True

    def _probe(self) -> bool:
        """Try one event if a probe is due; wait otherwise."""
        if self._gives_up():
            return False
        if not self._circuit.begin_probe(self._clock()):
            self._run_state.stop.wait(PROBE_WAIT_SECONDS)
            return True
        had_event = False
        try:
            message = self._probe_message()
            if message is not None:
                had_event = True
                self._processor.process(message)
        finally:
            self._circuit.end_probe(self._clock(), had_event=had_event)
        return True

    def _gives_up(self) -> bool:
        """Return True if a run with an end of its own has nothing left, or probed often enough."""
        if not self._run_state.options.ends_by_itself:
            return False
        return self._has_nothing_left() or self._circuit.probes >= MAX_PROBES_BEFORE_END

    def _has_nothing_left(self) -> bool:
        """Return True if no event will come any more, from the queue or from another consumer."""
        # in this order: what a receive brings is in flight before the budget for it is settled
        return self._run_state.has_received_all and not self._in_flight.has_unstarted()

    def _wait_for_more(self) -> bool:
        """Wait for the receives of other threads and for blocked events; return False if there are none."""
        if self._has_nothing_left():
            return False
        self._run_state.stop.wait(BUDGET_WAIT_SECONDS)
        return True

    def _probe_message(self) -> InFlightMessage | None:
        """Start a new event, or else one that failed before and was kept, so that no receive counts."""
        before = self._in_flight.waiting()
        if before < MAX_PREFETCH:
            self._receive(1)
        if self._run_state.stop.is_set():
            return None
        is_new = self._in_flight.waiting() > before
        return self._in_flight.start(self._clock(), newest=is_new)

    def _receive(self, wanted: int) -> bool:
        """Receive messages; return False if no more may be received, for now or for good."""
        state = self._run_state
        limit = state.budget.take(wanted)
        if not limit:
            return False
        result = ReceiveResult()
        try:
            with state.idle_turn if self._is_idle else nullcontext():
                if state.drained.is_set() or state.stop.is_set():
                    return False
                result = self._receive_up_to(limit)
                if result.tests:
                    state.stop.wait(TEST_PAUSE_SECONDS)
        finally:
            state.budget.settle(limit, result.for_handlers)
        self._is_idle, self._failures = not result.received, 0
        if state.options.drain:
            self._update_drained(result)
        return not state.drained.is_set()

    def _receive_up_to(self, limit: int) -> ReceiveResult:
        if self._outage_log.is_on:
            self._receiver.check_deduplication()
        result = self._receiver.receive(limit, wait_seconds=self._wait_seconds())
        self._outage_log.end()
        self._in_flight.is_busy = result.received >= MAX_RECEIVE
        if not result.received:
            self._processor.flush()
        return result

    def _update_drained(self, result: ReceiveResult) -> None:
        if result.received:
            self._run_state.drained.clear()
        elif self._in_flight.is_idle():
            self._run_state.drained.set()

    def _wait_seconds(self) -> int:
        """Return the wait time of a receive: none while messages wait to be acknowledged or started."""
        if self._in_flight.has_completed() or self._in_flight.waiting():
            return 0
        return DRAIN_WAIT_SECONDS if self._run_state.options.drain else WAIT_SECONDS

    def _pause(self, reason: str) -> None:
        self._outage_log.begin(reason)
        self._failures += 1
        self._run_state.stop.wait(OUTAGE_BACKOFF.delay(self._failures, self._random))
