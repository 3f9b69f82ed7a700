"""A consumer in parts, on a clock that tests move, with a queue, a memory and a handler that tests steer."""

import threading
from collections.abc import Callable
from datetime import timedelta

from adapters.in_memory import InMemoryPayloadStore, InMemoryProcessedEvents
from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import HandlerError
from domain.model.events.event import CompletedEvent
from domain.services.consuming.acknowledger import Endings
from domain.services.consuming.heartbeat import Keeper
from domain.services.consuming.loop import Crew, Hand
from domain.services.consuming.receiver import Intake
from domain.services.consuming.workplace import ConsumerOptions, Workplace
from ports.event_handler_port import EventHandlerPort
from tests.support.doubles.delivery import seeded
from tests.support.doubles.queue import BreakingQueue, Clock, InMemoryQueue
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import A_MOMENT, an_event

OPTIONS = ConsumerOptions(threads=1)


class SteeredHandler(EventHandlerPort):
    """Keeps what it got; `fails` says why it does not succeed, and `does` what happens meanwhile."""

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
    def events(self) -> list[CompletedEvent]:
        return [received.event for received in self.got]


class SkippingStop(threading.Event):
    """Waiting for it moves the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        self._clock.advance(timeout or 0.0)
        return self.is_set()


class ConsumerHarness:
    """One consumer of one thread; a second one on the same queue and memory is made with `another`."""

    def __init__(
        self, options: ConsumerOptions = OPTIONS, *, beside: "ConsumerHarness | None" = None
    ) -> None:
        self.clock: Clock = beside.clock if beside else Clock()
        self.dead: InMemoryQueue = beside.dead if beside else InMemoryQueue(self.clock)
        self.queue: BreakingQueue = (
            beside.queue if beside else BreakingQueue(self.clock, dead_letters=self.dead)
        )
        self.memory: InMemoryProcessedEvents = (
            beside.memory if beside else InMemoryProcessedEvents(self.clock)
        )
        self.payloads: InMemoryPayloadStore = beside.payloads if beside else InMemoryPayloadStore()
        self.handler = SteeredHandler()
        self.stop = SkippingStop(self.clock)
        self.place = Workplace(
            self.queue,
            self.memory,
            options,
            clock=self.clock,
            now=lambda: A_MOMENT + timedelta(seconds=self.clock() - 1000),
            random=seeded(7),
            stop=self.stop,
        )
        self.endings = Endings(self.place)
        self.intake = Intake(self.place, self.endings)
        self.keeper = Keeper(self.place, self.intake, self.endings)
        self.crew = Crew(self.place, self.handler, self.payloads, self.intake, self.endings)
        self.hand = Hand()

    def another(self) -> "ConsumerHarness":
        """A second consumer, as in another process."""
        return ConsumerHarness(self.place.options, beside=self)

    def send(self, event: CompletedEvent | None = None, replay: str | None = None) -> CompletedEvent:
        """Put an event into the queue."""
        event = event or an_event()
        self.queue.send(enveloped(event, replay=replay))
        return event

    def steps(self, number: int = 1) -> None:
        """Let its thread do so many things."""
        for _ in range(number):
            self.crew.step(self.hand)

    def receive(self) -> None:
        """Receive, and hold what comes."""
        self.steps()
        assert len(self.place.in_hand), "nothing came"

    def wait(self, seconds: float) -> None:
        """Let time pass, with the keeper's beats."""
        for _ in range(round(seconds)):
            self.clock.advance(1)
            self.keeper.beat()

    def tally(self) -> dict[str, int]:
        """What was counted, without zeros."""
        return {fate: number for fate, number in self.place.tally.as_dict().items() if number}
