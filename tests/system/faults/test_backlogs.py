"""Relays that start with thousands of waiting events."""

import os
import signal
import time
from pathlib import Path

import pytest

from bootstrap.factories.database import prepare_database
from domain.model.events.event import BatchProcessingCompleted
from domain.model.outbox import OutboxState
from tests.support.doubles.bus_faults import SomeRefused, TextRefused
from tests.support.doubles.stub_bus import StubBus
from tests.support.faults import relay_process
from tests.support.faults.backlogs import fill
from tests.support.faults.checker import PromiseLog, nothing_lost
from tests.support.faults.relay_process import container_on
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.exhaustive

LONG = 240.0
"""Time-out in seconds, for work that takes a few."""
WATCHED_FROM, WATCHED_CALLS = 50, 100
"""Range of the calls of a throttled relay that are measured."""


def keep(database_url: str, promises: PromiseLog, events: list[BatchProcessingCompleted]) -> None:
    database = prepare_database(database_url)
    fill(database, events)
    database.close()
    promises.note("\n".join(str(event.interaction_id) for event in events))


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_ten_thousand_events_that_wait_at_the_start_are_delivered_once(
    bus: StubBus, database_url: str, promises: PromiseLog
) -> None:
    keep(database_url, promises, [an_event() for _ in range(10_000)])
    relay = relay_process.start(database_url, bus.url, lease_seconds=60)
    wait_until(lambda: len(bus.accepted) == 10_000, seconds=LONG)
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(300) == 0

    assert nothing_lost(promises, bus.accepted, at_least=10_000).duplicates == 0
    assert bus.calls == 1_000
    counts = container_on(database_url, bus.url).outbox().counts()
    assert (counts.waiting, counts.published) == (0, 10_000)


def test_poison_among_thousands_is_parked_and_delays_no_other(
    bus: StubBus, database_url: str, promises: PromiseLog
) -> None:
    bus.fail_always(TextRefused("MalformedDetail", "Detail is malformed.", text="poison"))
    poison = an_event(raw_transcript="poison")
    events = [an_event() for _ in range(2_000)]
    keep(database_url, promises, events)
    outbox = container_on(database_url, bus.url).outbox()
    outbox.add(poison)
    relay = relay_process.start(database_url, bus.url, lease_seconds=60)
    wait_until(lambda: not outbox.counts().waiting, seconds=LONG)
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(300) == 0

    assert nothing_lost(promises, bus.accepted, at_least=2_000).duplicates == 0
    (parked,) = outbox.records(OutboxState.REJECTED)
    assert parked.interaction_id == poison.interaction_id
    assert parked.event == poison
    assert "MalformedDetail" in str(parked.reason)


def test_a_relay_that_is_throttled_delivers_thousands_as_soon_as_it_no_longer_is(
    bus: StubBus, database_url: str, promises: PromiseLog
) -> None:
    bus.fail_always(SomeRefused("ThrottlingException", "Rate exceeded", share=0.9))
    keep(database_url, promises, [an_event() for _ in range(10_000)])
    relay = relay_process.start(database_url, bus.url, lease_seconds=60)
    wait_until(lambda: bus.calls >= WATCHED_FROM)
    begun, used = time.monotonic(), cpu_seconds(relay.pid)
    wait_until(lambda: bus.calls >= WATCHED_FROM + WATCHED_CALLS, seconds=LONG)
    seconds, used = time.monotonic() - begun, cpu_seconds(relay.pid) - used
    bus.fail_always(None)
    wait_until(lambda: len(bus.accepted) == 10_000, seconds=LONG)
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(300) == 0

    print(f"{WATCHED_CALLS * 60 / seconds:.0f} calls a minute, {used / seconds:.0%} of a core")  # noqa: T201 - figures
    assert nothing_lost(promises, bus.accepted, at_least=10_000).duplicates == 0
