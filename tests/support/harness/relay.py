"""A relay with everything around it, in simulated time."""

from uuid import UUID

from domain.model.events.event import BatchProcessingCompleted
from domain.model.outbox import OutboxRecord, OutboxState
from domain.services.relay.dispatcher import ClaimPublisher
from domain.services.relay.relay import Relay
from domain.services.relay.route_guard import RouteGuard
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import EventPort
from tests.support.doubles.delivery import FaultyOutbox, SimulatedTime, seeded
from tests.support.samples.factories import an_event


class RelayAtWork:
    """One relay on an outbox, which may be shared with others; time passes only where the relay rests."""

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
    ) -> None:
        self.clock = clock or SimulatedTime()
        self.outbox = outbox or FaultyOutbox(self.clock)
        self.breaker = breaker or CircuitBreaker()
        self.publisher = ClaimPublisher(
            events, self.breaker, threads=threads, clock=self.clock, random=seeded()
        )
        self.relay = Relay(
            self.outbox,
            self.publisher,
            self.breaker,
            route=route,
            batch=batch,
            lease_seconds=lease_seconds,
            clock=self.clock,
            wait=self.clock.wait,
            random=seeded(),
        )
        self.steps = 0

    def add(self, count: int = 1) -> list[BatchProcessingCompleted]:
        """Fresh events, kept."""
        events = [an_event() for _ in range(count)]
        for event in events:
            self.outbox.add(event)
        return events

    def work(self, seconds: float = 3600.0) -> None:
        """Let the relay work for so long, or until nothing waits."""
        end = self.clock.at + seconds
        while self.clock.at < end and self.outbox.counts().waiting:
            self.step()

    def step(self) -> float:
        """One round, and the rest after it."""
        self.steps += 1
        assert self.steps < 100_000, "a hot loop"
        rest = self.relay.step()
        self.clock.at += rest
        return rest

    def record(self, interaction_id: UUID) -> OutboxRecord:
        """One event, as the outbox keeps it."""
        record = self.outbox.find(interaction_id)
        assert record
        return record

    def ids(self, state: OutboxState) -> set[UUID]:
        """Which events stand there."""
        return {record.interaction_id for record in self.outbox.records(state, limit=1_000_000)}
