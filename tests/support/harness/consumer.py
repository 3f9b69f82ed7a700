"""Parts of a consumer, with a clock, a queue, a deduplication store and a handler that tests control."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from adapters.in_memory import InMemoryPayloadStore, InMemoryProcessedEvents
from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import HandlerError
from domain.model.events.envelope import EventEnvelope, parse_envelope
from domain.model.events.event import DEFAULT_EVENT_SOURCE
from domain.model.events.kinds import EventKind
from domain.model.events.sent import SentEvent, StoredEvent
from domain.services.consuming.acknowledger import Acknowledger
from domain.services.consuming.handler_circuit import HandlerCircuit, OutageLog
from domain.services.consuming.heartbeat import VisibilityHeartbeat
from domain.services.consuming.in_flight import InFlight
from domain.services.consuming.loop import ConsumerLoop, RunState
from domain.services.consuming.options import ConsumerOptions
from domain.services.consuming.processor import MessageProcessor
from domain.services.consuming.receiver import Receiver
from domain.services.consuming.stats import ConsumerStats
from ports.event_handler_port import EventHandlerPort
from tests.support.doubles.delivery import seeded
from tests.support.doubles.queue import BreakingQueue, Clock, InMemoryQueue
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import A_MOMENT, an_event

OPTIONS = ConsumerOptions(threads=1)


class SteeredHandler(EventHandlerPort):
    """Handler that records events; calls `does`, then raises `HandlerError` if `fails` has a reason."""

    def __init__(self) -> None:
        self.got: list[ReceivedEvent] = []
        self.fails: str | None = None
        self.does: Callable[[ReceivedEvent], object] = lambda _: None
        self.when_aborted: Callable[[], object] = lambda: None

    def handle(self, received: ReceivedEvent, /) -> None:
        self.got.append(received)
        self.does(received)
        if self.fails is not None:
            raise HandlerError(self.fails)

    def abort(self) -> None:
        self.when_aborted()

    @property
    def events(self) -> list[StoredEvent]:
        return [received.event for received in self.got]


class SkippingStop(threading.Event):
    """Stop event that advances the clock instead of waiting."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        self._clock.advance(timeout or 0.0)
        return self.is_set()


class ConsumerHarness:
    """One consumer with one thread, in parts.

    Args:
        beside: another consumer, whose clock, deduplication store and payloads are shared, and the queue if
            it reads the same kind of events.
        kind: the kind of events that it reads.

    Attributes:
        parse: reads the body of a message; may be replaced at any time.
    """

    def __init__(
        self,
        options: ConsumerOptions = OPTIONS,
        *,
        beside: "ConsumerHarness | None" = None,
        kind: EventKind = EventKind.COMPLETED,
    ) -> None:
        self.parse: Callable[[str], EventEnvelope] = partial(
            parse_envelope, source=DEFAULT_EVENT_SOURCE, kind=kind
        )
        self.options = options
        self.clock: Clock = beside.clock if beside else Clock()
        self.kind = kind
        owner = beside if beside and beside.kind is kind else None
        self.dead: InMemoryQueue = owner.dead if owner else InMemoryQueue(self.clock)
        self.queue: BreakingQueue = (
            owner.queue if owner else BreakingQueue(self.clock, dead_letters=self.dead)
        )
        self.memory: InMemoryProcessedEvents = (
            beside.memory if beside else InMemoryProcessedEvents(self.clock)
        )
        self.payloads: InMemoryPayloadStore = beside.payloads if beside else InMemoryPayloadStore()
        self.handler = SteeredHandler()
        self.stop = SkippingStop(self.clock)
        self.random = seeded(7)
        self.in_flight = InFlight()
        self.stats = ConsumerStats()
        self.circuit = HandlerCircuit()
        self.outage_log = OutageLog()
        self._assemble()

    def _assemble(self) -> None:
        self.acknowledger = Acknowledger(
            self.queue, self.memory, self.in_flight, self.stats, self.options, self.random, self._now
        )
        self.receiver = Receiver(
            self.queue,
            self.memory,
            self.acknowledger,
            self.in_flight,
            self.options,
            self.stop,
            self.clock,
            lambda body: self.parse(body),  # noqa: PLW0108 - a test may replace it later
        )
        self.heartbeat = VisibilityHeartbeat(
            self.queue,
            self.memory,
            self.receiver,
            self.acknowledger,
            self.in_flight,
            self.outage_log,
            self.options,
            self.clock,
        )
        self.processor = MessageProcessor(
            self.handler,
            self.payloads,
            self.acknowledger,
            self.in_flight,
            self.circuit,
            self.stats,
            self.clock,
        )
        self.run_state = RunState(self.options, self.stop)
        self.loop = self.another_thread()

    def _now(self) -> datetime:
        return A_MOMENT + timedelta(seconds=self.clock() - 1000)

    def another_thread(self) -> ConsumerLoop:
        """Return the loop of one more thread of this consumer."""
        return ConsumerLoop(
            self.run_state,
            self.receiver,
            self.processor,
            self.in_flight,
            self.circuit,
            self.outage_log,
            self.clock,
            self.random,
        )

    def another(self) -> "ConsumerHarness":
        """Return a second consumer on the same queue, as in another process."""
        return ConsumerHarness(self.options, beside=self, kind=self.kind)

    def of_kind(self, kind: EventKind) -> "ConsumerHarness":
        """Return a consumer of another kind of events, in the same group."""
        return ConsumerHarness(self.options, beside=self, kind=kind)

    def send(self, event: SentEvent | None = None, replay: str | None = None) -> SentEvent:
        """Send an event to the queue."""
        event = event or an_event()
        self.queue.send(enveloped(event, replay=replay))
        return event

    def send_many(self, number: int) -> list[SentEvent]:
        """Send that many different events."""
        return [self.send() for _ in range(number)]

    def steps(self, number: int = 1) -> None:
        """Run that many steps of the thread."""
        for _ in range(number):
            self.loop.step()

    def receive(self) -> None:
        """Receive, and fail if nothing was there."""
        self.steps()
        assert len(self.in_flight), "nothing was received"

    def wait(self, seconds: float) -> None:
        """Let time pass, with a tick of the heartbeat each second."""
        for _ in range(round(seconds)):
            self.clock.advance(1)
            self.heartbeat.tick()

    def figures(self) -> dict[str, int]:
        """Return the statistics, without zeros."""
        return {name: number for name, number in self.stats.as_dict().items() if number}
