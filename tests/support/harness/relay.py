"""Relay with its dispatcher, outbox and breaker, in simulated time."""

from collections.abc import Callable
from uuid import UUID

from domain.model.events.event import BatchProcessingCompleted
from domain.model.outbox import OutboxRecord, OutboxState
from domain.services.relay.dispatcher import BatchDispatcher
from domain.services.relay.relay import Relay
from domain.services.relay.route_guard import RouteGuard
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import EventPort
from tests.support.doubles.delivery import FaultyOutbox, SimulatedTime, seeded
from tests.support.samples.factories import an_event


class RelayAtWork:
    """One relay on an outbox that may be shared; time passes only while the relay waits."""

    def __init__(
        self,
        events: EventPort,
        *,
        outbox: FaultyOutbox | None = None,
        clock: SimulatedTime | None = None,
        breaker: CircuitBreaker | None = None,
        route: RouteGuard | None = None,
        lease_seconds: float = 60.0,
        batch: int = 500,
        threads: int = 4,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self.clock = clock or SimulatedTime()
        self.outbox = outbox or FaultyOutbox(self.clock)
        self.breaker = breaker or CircuitBreaker()
        dispatcher = BatchDispatcher(events, self.breaker, threads=threads, clock=self.clock, random=seeded())
        self.relay = Relay(
            self.outbox,
            dispatcher,
            self.breaker,
            route=route,
            batch=batch,
            lease_seconds=lease_seconds,
            clock=self.clock,
            wait=wait or self.clock.wait,
            random=seeded(),
        )
        self.steps = 0

    def add(self, count: int = 1) -> list[BatchProcessingCompleted]:
        """Add new events to the outbox."""
        events = [an_event() for _ in range(count)]
        for event in events:
            self.outbox.add(event)
        return events

    def work(self, seconds: float = 3600.0) -> None:
        """Run the relay that long, or until no event waits."""
        end = self.clock.at + seconds
        while self.clock.at < end and self.outbox.counts().waiting:
            self.step()

    def step(self) -> float:
        """Run one step, and let its delay pass."""
        self.steps += 1
        assert self.steps < 100_000, "a hot loop"
        delay = self.relay.step()
        self.clock.at += delay
        return delay

    def record(self, interaction_id: UUID) -> OutboxRecord:
        """Return the record of one event."""
        record = self.outbox.find(interaction_id)
        assert record
        return record

    def ids(self, state: OutboxState) -> set[UUID]:
        """Return the ids of the events in one state."""
        return {record.interaction_id for record in self.outbox.records(state, limit=1_000_000)}
