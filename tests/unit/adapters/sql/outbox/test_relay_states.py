"""Random sequences of steps: two relays on a database lose no event while the bus and the outbox fail."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)

from adapters.sql.database import Database
from adapters.sql.outbox.outbox import SqlOutbox
from domain.model.errors import EventBusUnavailableError, EventRejectedError, OutboxUnavailableError
from domain.model.events.sent import SentEvent
from domain.model.outbox import EventLease, OutboxState, Outcome, Published
from domain.services.relay.dispatcher import BatchDispatcher
from domain.services.relay.relay import Relay
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import PublishOutcome
from tests.support.databases.databases import LIBRARIES, POSTGRESQL, Clock
from tests.support.databases.state_machines import run_on_a_database
from tests.support.doubles.delivery import ACCEPTED, AnsweringEventPublisher, seeded
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.slow

LEASE_SECONDS = 60.0
AWAY = EventBusUnavailableError("the bus is away")
POISON = "poison"


class Bus:
    """Accepts or refuses events according to its mood; it may accept one without an answer.

    Attributes:
        arrived: the ids of the accepted events.
    """

    MOODS = ("well", "away", "loses its answers", "refuses every other event")

    def __init__(self) -> None:
        self.mood = "well"
        self.arrived: set[UUID] = set()
        self._asked = 0

    def answer(self, event: SentEvent) -> PublishOutcome:
        self._asked += 1
        if getattr(event.data, "raw_transcript", "") == POISON:
            return EventRejectedError("MalformedDetail")
        if self.mood == "away" or (self.mood == "refuses every other event" and self._asked % 2):
            return AWAY
        self.arrived.add(event.interaction_id)
        return AWAY if self.mood == "loses its answers" else ACCEPTED


class FragileOutbox(SqlOutbox):
    """Fails to record outcomes on request, as after a crash or on a full disk."""

    records_nothing = False

    def record(self, outcomes: Sequence[Outcome], /) -> int:
        if self.records_nothing:
            raise OutboxUnavailableError("no space left on device")
        return super().record(outcomes)


class RelayMachine(RuleBasedStateMachine):
    """Drives two relays; subclasses set the database."""

    database: Database
    late: Bundle[EventLease] = Bundle("late")

    def __init__(self) -> None:
        super().__init__()
        with self.database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM outbox")
        self.clock, self.bus, self.breaker = Clock(), Bus(), CircuitBreaker()
        self.outbox = FragileOutbox(self.database, now=self.clock.in_sql)
        self.fine, self.poison = set[UUID](), set[UUID]()
        self.dispatchers = [self._dispatcher() for _ in range(2)]
        self.relays = [self._relay(dispatcher) for dispatcher in self.dispatchers]

    def _dispatcher(self) -> BatchDispatcher:
        events = AnsweringEventPublisher(self.bus.answer)
        return BatchDispatcher(events, self.breaker, threads=1, clock=self.clock, random=seeded())

    def _relay(self, dispatcher: BatchDispatcher) -> Relay:
        return Relay(
            self.outbox,
            dispatcher,
            self.breaker,
            batch=3,
            lease_seconds=LEASE_SECONDS,
            clock=self.clock,
            random=seeded(),
        )

    @rule(lease_seconds=st.sampled_from([0.0, 15.0]), is_poison=st.sampled_from([False, False, True]))
    def add(self, lease_seconds: float, *, is_poison: bool) -> None:
        event = an_event(raw_transcript=POISON) if is_poison else an_event()
        self.outbox.add(event, lease_seconds=lease_seconds)
        (self.poison if is_poison else self.fine).add(event.interaction_id)

    @rule(number=st.integers(0, 1))
    def relay(self, number: int) -> None:
        self.relays[number].step()

    @rule(number=st.integers(0, 1))
    def crash(self, number: int) -> None:
        """Replace a relay, with its leases and unrecorded outcomes."""
        self.dispatchers[number].close()
        self.dispatchers[number] = self._dispatcher()
        self.relays[number] = self._relay(self.dispatchers[number])

    @rule(target=late)
    def lease_and_send(self) -> MultipleResults[EventLease]:
        """Lease and send an event whose outcome is reported later."""
        leases = self.outbox.lease_due(1, lease_seconds=LEASE_SECONDS)
        return multiple(*(lease for lease in leases if self.bus.answer(lease.event) == ACCEPTED))

    @precondition(lambda self: not self.outbox.records_nothing)
    @rule(lease=consumes(late))
    def report(self, lease: EventLease) -> None:
        self.outbox.record([Published(lease, "receipt")])

    @rule(mood=st.sampled_from(Bus.MOODS))
    def the_bus_changes(self, mood: str) -> None:
        self.bus.mood = mood

    @rule()
    def the_disk_is_full_or_not(self) -> None:
        self.outbox.records_nothing = not self.outbox.records_nothing

    @rule(seconds=st.sampled_from([1.0, 29.0, 31.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def prune(self) -> None:
        self.outbox.prune(older_than_days=0)

    @rule()
    def retry(self) -> None:
        self.outbox.retry()

    @invariant()
    def nothing_is_lost(self) -> None:
        records = {record.interaction_id: record for record in self.outbox.records(limit=1000)}
        published = {key for key, record in records.items() if record.state is OutboxState.PUBLISHED}
        rejected = {key for key, record in records.items() if record.state is OutboxState.REJECTED}
        assert published <= self.bus.arrived <= self.fine
        assert rejected <= self.poison <= records.keys()
        assert self.fine - self.bus.arrived <= records.keys()
        assert all(records[key].event for key in records.keys() - published)

    def teardown(self) -> None:
        """Expect that every event arrives in the end, and that poison is rejected."""
        self.bus.mood, self.outbox.records_nothing = "well", False
        for _ in range(100):
            self.clock.advance(LEASE_SECONDS / 3)
            for relay in self.relays:
                relay.step()
            if not self.outbox.counts().waiting:
                break
        for dispatcher in self.dispatchers:
            dispatcher.close()
        assert self.bus.arrived == self.fine
        assert self.outbox.counts().rejected == len(self.poison)


@pytest.mark.parametrize(
    ("kind", "examples"),
    [*zip(LIBRARIES, (25, 5), strict=True), pytest.param(POSTGRESQL, 15, marks=pytest.mark.process)],
)
def test_no_interleaving_of_relays_loses_an_event(
    request: pytest.FixtureRequest, kind: str, examples: int
) -> None:
    run_on_a_database(RelayMachine, request, kind, examples)
