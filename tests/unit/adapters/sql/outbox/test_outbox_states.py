"""No order of events loses one, lends one twice, or lets a stale owner write: outboxes against a model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from adapters.in_memory import InMemoryOutbox
from adapters.sql.outbox.outbox import SqlOutbox
from domain.model.events.event import BatchProcessingCompleted
from domain.model.outbox import (
    MAX_WAIT_SECONDS,
    EventLease,
    OutboxState,
    Outcome,
    Postponed,
    Published,
    Rejected,
)
from ports.outbox_port import OutboxPort
from tests.support.databases.databases import LIBRARIES, POSTGRESQL, Clock, Place
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.slow

WAITING, PUBLISHED, REJECTED = OutboxState.WAITING, OutboxState.PUBLISHED, OutboxState.REJECTED
DAY = 86_400.0
KEEP_DAYS = 0.5
LEASES = st.sampled_from([0.0, 5.0, 60.0])
OUTCOMES = st.sampled_from(["publish", "postpone", "pause", "reject"])


@dataclass
class Expected:
    """What is known of one event."""

    event: BatchProcessingCompleted
    token: UUID | None
    due_at: float
    lease_until: float
    state: OutboxState = WAITING
    attempts: int = 0
    settled_at: float = field(default=0.0)
    has_texts: bool = True

    def is_free(self, now: float) -> bool:
        return self.state is WAITING and self.free_at(now) <= now

    def free_at(self, now: float) -> float:
        """What lies too far ahead was written before the clock was set back, and is over."""
        ahead = now + MAX_WAIT_SECONDS
        return max(now if moment > ahead else moment for moment in (self.due_at, self.lease_until))

    def is_put_off(self, now: float) -> bool:
        return max(self.due_at, self.lease_until) > now

    def settle(self, outcome: Outcome, now: float) -> bool:
        if self.state is not WAITING or outcome.lease.token != self.token:
            return False
        self.token, self.lease_until, self.due_at, self.settled_at = None, now, now, now
        if isinstance(outcome, Published):
            self.state = PUBLISHED
        elif isinstance(outcome, Rejected):
            self.state, self.attempts = REJECTED, self.attempts + 1
        else:
            self.due_at, self.attempts = now + outcome.delay_seconds, self.attempts + outcome.is_attempt
        return True


class OutboxMachine(RuleBasedStateMachine):
    """Drives an outbox and a model; subclasses say which outbox."""

    open: Callable[[Clock], OutboxPort]
    leases: Bundle[EventLease] = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.port = type(self).open(self.clock)
        self.model: dict[UUID, Expected] = {}

    @rule(target=leases, lease_seconds=LEASES)
    def add(self, lease_seconds: float) -> EventLease:
        event, now = an_event(), self.clock()
        lease = self.port.add(event, lease_seconds=lease_seconds)
        self.model[event.interaction_id] = Expected(event, lease.token, now, now + lease_seconds)
        return lease

    @rule(target=leases, earlier=leases, lease_seconds=LEASES)
    def add_again(self, earlier: EventLease, lease_seconds: float) -> EventLease:
        lease = self.port.add(earlier.event, lease_seconds=lease_seconds)
        if earlier.interaction_id not in self.model:  # it was published and forgotten: a new one
            now = self.clock()
            self.model[earlier.interaction_id] = Expected(
                earlier.event, lease.token, now, now + lease_seconds
            )
        return lease

    @rule(target=leases, limit=st.integers(1, 4), lease_seconds=LEASES)
    def lease(self, limit: int, lease_seconds: float) -> Any:
        """Whoever leases and never reports has crashed."""
        now = self.clock()
        free = [expected for expected in self.model.values() if expected.is_free(now)]
        leases = self.port.lease_due(limit, lease_seconds=lease_seconds)
        lent = [self.model[lease.interaction_id] for lease in leases]
        assert len(leases) == len({lease.interaction_id for lease in leases}) == min(limit, len(free))
        assert all(expected.is_free(now) for expected in lent)
        due = sorted(each.due_at for each in free if not each.is_put_off(now))[:limit]
        assert [each.due_at for each in lent if not each.is_put_off(now)] == due
        for lease, expected in zip(leases, lent, strict=True):
            assert (lease.event, lease.attempts) == (expected.event, expected.attempts)
            expected.token, expected.lease_until = lease.token, now + lease_seconds
        return multiple(*leases)

    @rule(
        reports=st.lists(st.tuples(leases, OUTCOMES), max_size=4), delay_seconds=st.sampled_from([0.0, 30.0])
    )
    def record(self, reports: list[tuple[EventLease, str]], delay_seconds: float) -> None:
        """Owners report, stale ones too."""
        outcomes = [outcome_of(lease, kind, delay_seconds) for lease, kind in reports]
        outcomes = list({outcome.lease.interaction_id: outcome for outcome in outcomes}.values())
        counted = [
            self.model[outcome.lease.interaction_id].settle(outcome, self.clock())
            for outcome in outcomes
            if outcome.lease.interaction_id in self.model
        ]
        assert self.port.record(outcomes) == sum(counted)

    @rule(seconds=st.sampled_from([1.0, 5.0, 31.0, 61.0, DAY, -1.0, -5.0, -61.0, -3600.0, -DAY]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def retry_rejected(self) -> None:
        rejected = [each for each in self.model.values() if each.state is REJECTED]
        assert self.port.retry() == len(rejected)
        for expected in rejected:
            expected.state, expected.due_at = WAITING, self.clock()

    @rule(lease=leases)
    def retry_one(self, lease: EventLease) -> None:
        expected = self.model.get(lease.interaction_id)
        counts = expected is not None and expected.state is not PUBLISHED
        assert self.port.retry([lease.interaction_id]) == int(counts)
        if expected and counts:
            expected.state, expected.due_at = WAITING, self.clock()

    @rule(limit=st.integers(1, 4))
    def purge_payloads(self, limit: int) -> None:
        before = self.clock() - KEEP_DAYS * DAY
        old = {
            key
            for key, each in self.model.items()
            if each.state is PUBLISHED and each.has_texts and each.settled_at <= before
        }
        assert self.port.purge_payloads(limit) == min(limit, len(old))
        for record in self.port.records(PUBLISHED, limit=1000):
            if record.event is None:
                assert record.interaction_id in old or not self.model[record.interaction_id].has_texts
                self.model[record.interaction_id].has_texts = False

    @rule(days=st.sampled_from([0.0, 0.5]), rejected=st.booleans())
    def prune(self, days: float, *, rejected: bool) -> None:
        states = (PUBLISHED, REJECTED) if rejected else (PUBLISHED,)
        limit = self.clock() - days * DAY
        old = [key for key, each in self.model.items() if each.state in states and each.settled_at <= limit]
        assert self.port.prune(older_than_days=days, rejected=rejected) == len(old)
        for key in old:
            del self.model[key]

    @invariant()
    def it_keeps_what_the_model_keeps(self) -> None:
        records = {record.interaction_id: record for record in self.port.records(limit=1000)}
        assert set(records) == set(self.model)
        for key, expected in self.model.items():
            found = records[key]
            assert (found.state, found.attempts) == (expected.state, expected.attempts)
            assert found.event == (expected.event if expected.has_texts else None)

    @invariant()
    def it_counts_as_the_model_does(self) -> None:
        states = [expected.state for expected in self.model.values()]
        assert self.port.counts()[:3] == tuple(map(states.count, (WAITING, REJECTED, PUBLISHED)))

    @invariant()
    def it_knows_when_to_come_back(self) -> None:
        now = self.clock()
        free_at = [each.free_at(now) for each in self.model.values() if each.state is WAITING]
        expected = max(0.0, min(free_at) - now) if free_at else None
        assert self.port.seconds_until_due() == expected


def outcome_of(lease: EventLease, kind: str, delay_seconds: float) -> Outcome:
    if kind == "publish":
        return Published(lease, "receipt")
    if kind == "reject":
        return Rejected(lease, "no")
    return Postponed(lease, delay_seconds, "throttled", is_attempt=kind == "postpone")


def run(opener: Callable[[Clock], OutboxPort], *, examples: int) -> None:
    machine = type("Machine", (OutboxMachine,), {"open": staticmethod(opener)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),  # a shared machine is slow at times
        ),
    )


def test_no_interleaving_loses_an_event_in_memory() -> None:
    run(lambda clock: InMemoryOutbox(clock, keep_days=KEEP_DAYS), examples=100)


@pytest.mark.parametrize(
    ("kind", "examples"),
    [*zip(LIBRARIES, (25, 5), strict=True), pytest.param(POSTGRESQL, 10, marks=pytest.mark.process)],
)
def test_no_interleaving_loses_an_event_in_a_database(
    request: pytest.FixtureRequest, kind: str, examples: int, tmp_path: Any
) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    place = request.getfixturevalue("postgresql_place") if kind == POSTGRESQL else Place(kind, url)
    database = place.open()

    def emptied(clock: Clock) -> OutboxPort:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM outbox")
        return SqlOutbox(database, keep_days=KEEP_DAYS, now=clock.in_sql)

    run(emptied, examples=examples)
    database.close()
