"""Relays that are killed, or stopped until their lease expires, lose no event and record no stale outcome."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.model.outbox import OutboxState
from ports.outbox_port import OutboxPort
from tests.support.doubles.bus_faults import Cut, Latency
from tests.support.faults import relay_process
from tests.support.faults.bus import RoughBus
from tests.support.faults.checker import PromiseLog, nothing_lost
from tests.support.faults.relay_process import container_on, drain
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.parametrize("bus", ["eventbridge", "webhook"], indirect=True)

EVENTS = 10
"""Events of one full call of EventBridge."""
LEASE_SECONDS = 0.5


@pytest.fixture
def outbox(database_url: str, bus: RoughBus) -> Iterator[OutboxPort]:
    container = container_on(database_url, bus.url)
    yield container.outbox()
    container.database().close()


@pytest.fixture
def promised(outbox: OutboxPort, tmp_path: Path) -> PromiseLog:
    """Add waiting events, and log the promise of each."""
    log = PromiseLog(tmp_path / "promised")
    for _ in range(EVENTS):
        log.note(str(outbox.add(an_event()).interaction_id))
    return log


def test_a_relay_killed_between_acceptance_and_record_costs_duplicates_and_no_loss(
    database_url: str, bus: RoughBus, outbox: OutboxPort, promised: PromiseLog
) -> None:
    bus.fail_next(Cut.HANG)  # the bus accepts the events, and never answers
    relay = relay_process.start(database_url, bus.url, lease_seconds=60)
    wait_until(lambda: len(bus.accepted) == bus.events_per_call)
    relay.kill()
    relay.wait()

    assert outbox.counts().waiting == EVENTS
    assert outbox.lease_due(EVENTS, lease_seconds=60) == ()  # the lease of the killed relay has not expired
    drain(database_url, bus.url)

    assert nothing_lost(promised, bus.accepted).duplicates == bus.events_per_call
    assert [record.attempts for record in outbox.records()] == [0] * EVENTS


def test_a_relay_killed_before_acceptance_loses_nothing(
    database_url: str, bus: RoughBus, promised: PromiseLog
) -> None:
    bus.fail_next(Latency(600))  # the bus accepts the events only after the test
    relay = relay_process.start(database_url, bus.url, lease_seconds=60)
    wait_until(lambda: bus.calls)
    relay.kill()
    relay.wait()
    drain(database_url, bus.url)

    nothing_lost(promised, bus.accepted)


def test_a_relay_stopped_past_its_lease_changes_nothing_when_it_goes_on(
    database_url: str, bus: RoughBus, outbox: OutboxPort, promised: PromiseLog
) -> None:
    bus.fail_next(Latency(3.0), Cut.HANG)
    stopped = relay_process.start(database_url, bus.url, lease_seconds=LEASE_SECONDS)
    wait_until(lambda: bus.calls == 1)
    stopped.send_signal(signal.SIGSTOP)
    wait_until(lambda: outbox.seconds_until_due() == 0)
    heir = relay_process.start(database_url, bus.url, lease_seconds=60)
    wait_until(lambda: bus.calls == 2)
    heir.send_signal(signal.SIGSTOP)  # so that it does not time out meanwhile

    stopped.send_signal(signal.SIGCONT)
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(300) == 0  # it has recorded its outcomes, with stale tokens

    assert outbox.counts().waiting == EVENTS
    assert bus.calls == 2 + EVENTS - bus.events_per_call  # the rest of a call does not look at its lease
    heir.kill()
    heir.wait()
    drain(database_url, bus.url)
    nothing_lost(promised, bus.accepted)
    assert len(outbox.records(OutboxState.PUBLISHED)) == EVENTS
