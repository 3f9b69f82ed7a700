"""Random sequences of calls: an outbox in a database answers and stores the same as the one in memory."""

from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
)

from adapters.in_memory import InMemoryOutbox
from adapters.sql.database import Database
from adapters.sql.outbox.outbox import SqlOutbox
from domain.model.errors import InteractionIdTakenError
from domain.model.events.sent import StoredEvent
from domain.model.outbox import EventLease, OutboxRecord, Outcome, Postponed, Published, Rejected
from ports.outbox_port import OutboxPort
from tests.support.databases.databases import LIBRARIES, POSTGRESQL, Clock
from tests.support.databases.state_machines import run_on_a_database
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.slow

DAY = 86_400.0
KEEP_DAYS = 0.5
ALL = 1000
"""A limit above the number of events: which of two equally old events comes first is left open."""
LEASE_SECONDS = st.sampled_from([0.0, 5.0, 60.0])
OUTCOMES = st.sampled_from(["publish", "postpone", "pause", "reject"])


class Lease(NamedTuple):
    """The lease on one event in each of the two outboxes."""

    stored: EventLease
    in_memory: EventLease


class OutboxMachine(RuleBasedStateMachine):
    """Calls both outboxes; subclasses set the database."""

    database: Database
    leases: Bundle[Lease] = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        with self.database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM outbox")
        self.clock = Clock()
        self.stored = SqlOutbox(self.database, keep_days=KEEP_DAYS, now=self.clock.in_sql)
        self.in_memory = InMemoryOutbox(self.clock, keep_days=KEEP_DAYS)

    @rule(target=leases, lease_seconds=LEASE_SECONDS)
    def add(self, lease_seconds: float) -> Lease:
        event = an_event()
        return Lease(*(port.add(event, lease_seconds=lease_seconds) for port in self.outboxes()))

    @rule(target=leases, earlier=leases, lease_seconds=LEASE_SECONDS)
    def add_again(self, earlier: Lease, lease_seconds: float) -> Any:
        event = earlier.stored.event
        added = [lease_or_none(port, event, lease_seconds) for port in self.outboxes()]
        leases = [lease for lease in added if lease]
        assert len(leases) in {0, 2}
        return multiple(*([Lease(*leases)] if leases else []))

    @rule(target=leases, lease_seconds=LEASE_SECONDS)
    def lease(self, lease_seconds: float) -> Any:
        stored, in_memory = (
            {lease.interaction_id: lease for lease in port.lease_due(ALL, lease_seconds=lease_seconds)}
            for port in self.outboxes()
        )
        assert {key: (lease.event, lease.attempts) for key, lease in stored.items()} == {
            key: (lease.event, lease.attempts) for key, lease in in_memory.items()
        }
        return multiple(*(Lease(lease, in_memory[key]) for key, lease in stored.items()))

    @rule(
        reports=st.lists(
            st.tuples(leases, OUTCOMES), max_size=4, unique_by=lambda report: report[0].stored.interaction_id
        ),
        delay_seconds=st.sampled_from([0.0, 30.0]),
    )
    def record(self, reports: list[tuple[Lease, str]], delay_seconds: float) -> None:
        """Report outcomes of current and of stale leases."""
        stored, in_memory = (
            [outcome_of(lease[which], kind, delay_seconds) for lease, kind in reports] for which in (0, 1)
        )
        assert self.stored.record(stored) == self.in_memory.record(in_memory)

    @rule(seconds=st.sampled_from([1.0, 5.0, 31.0, 61.0, DAY, -1.0, -5.0, -61.0, -3600.0, -DAY]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def retry_rejected(self) -> None:
        assert self.stored.retry() == self.in_memory.retry()

    @rule(lease=leases)
    def retry_one(self, lease: Lease) -> None:
        named = [lease.stored.interaction_id]
        assert self.stored.retry(named) == self.in_memory.retry(named)

    @rule()
    def purge_payloads(self) -> None:
        assert self.stored.purge_payloads(ALL) == self.in_memory.purge_payloads(ALL)

    @rule(days=st.sampled_from([0.0, 0.5]), rejected=st.booleans())
    def prune(self, days: float, *, rejected: bool) -> None:
        stored, in_memory = (port.prune(older_than_days=days, rejected=rejected) for port in self.outboxes())
        assert stored == in_memory

    @invariant()
    def both_store_the_same(self) -> None:
        assert records_of(self.stored) == records_of(self.in_memory)
        assert self.stored.counts() == self.in_memory.counts()
        assert self.stored.seconds_until_due() == self.in_memory.seconds_until_due()

    def outboxes(self) -> tuple[OutboxPort, OutboxPort]:
        return self.stored, self.in_memory


def lease_or_none(port: OutboxPort, event: StoredEvent, lease_seconds: float) -> EventLease | None:
    try:
        return port.add(event, lease_seconds=lease_seconds)
    except InteractionIdTakenError:  # published, and its texts are dropped
        return None


def records_of(port: OutboxPort) -> dict[UUID, OutboxRecord]:
    return {record.interaction_id: record for record in port.records(limit=ALL)}


def outcome_of(lease: EventLease, kind: str, delay_seconds: float) -> Outcome:
    if kind == "publish":
        return Published(lease, "receipt")
    if kind == "reject":
        return Rejected(lease, "no")
    return Postponed(lease, delay_seconds, "throttled", is_attempt=kind == "postpone")


@pytest.mark.parametrize(
    ("kind", "examples"),
    [*zip(LIBRARIES, (25, 5), strict=True), pytest.param(POSTGRESQL, 10, marks=pytest.mark.process)],
)
def test_an_outbox_in_a_database_is_like_one_in_memory(
    request: pytest.FixtureRequest, kind: str, examples: int
) -> None:
    run_on_a_database(OutboxMachine, request, kind, examples)
