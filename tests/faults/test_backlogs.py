"""Thousands of events that wait when a relay starts."""

import os
import signal
import time
from pathlib import Path

from bootstrap.database import prepare_database
from domain.model.events import BatchProcessingCompleted
from domain.model.outbox import OutboxState
from tests.factories import an_event
from tests.faults import relay_process
from tests.faults.backlogs import fill
from tests.faults.checker import PromiseLog, nothing_lost
from tests.faults.relay_process import container_on, drain
from tests.service import wait_until
from tests.stub_bus import SomeRefused, StubBus, TextRefused

WATCHED_SECONDS = 4.0
CALLS_A_SECOND = 100
"""An undisturbed relay makes several hundred."""
CPU_SHARE = 0.6


def keep(database_url: str, promises: PromiseLog, events: list[BatchProcessingCompleted]) -> None:
    database = prepare_database(database_url)
    fill(database, events)
    database.close()
    promises.note("\n".join(str(event.interaction_id) for event in events))


def cpu_seconds(pid: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_ten_thousand_events_that_wait_at_the_start_are_delivered_once(
    bus: StubBus, database_url: str, promises: PromiseLog
) -> None:
    keep(database_url, promises, [an_event() for _ in range(10_000)])
    relay = relay_process.start(database_url, bus.url, lease_seconds=60)
    wait_until(lambda: len(bus.accepted) == 10_000, seconds=60)
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(30) == 0

    assert nothing_lost(promises, bus.accepted, at_least=10_000).duplicates == 0
    assert bus.calls == 1_000
    counts = container_on(database_url, bus.url).outbox().counts()
    assert (counts.waiting, counts.published) == (0, 10_000)


def test_poison_among_thousands_is_parked_and_holds_nobody_up(
    bus: StubBus, database_url: str, promises: PromiseLog
) -> None:
    bus.fail_always(TextRefused("MalformedDetail", "Detail is malformed.", text="poison"))
    poison = an_event(raw_transcript="poison")
    events = [an_event() for _ in range(2_000)]
    keep(database_url, promises, events)
    outbox = container_on(database_url, bus.url).outbox()
    outbox.add(poison)
    relay = relay_process.start(database_url, bus.url, lease_seconds=60)
    wait_until(lambda: not outbox.counts().waiting, seconds=60)
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(30) == 0

    assert nothing_lost(promises, bus.accepted, at_least=2_000).duplicates == 0
    (parked,) = outbox.records(OutboxState.REJECTED)
    assert parked.interaction_id == poison.interaction_id
    assert parked.event == poison
    assert "MalformedDetail" in str(parked.reason)


def test_most_entries_throttled_with_thousands_waiting_is_no_hot_loop(
    bus: StubBus, database_url: str, promises: PromiseLog
) -> None:
    bus.fail_always(SomeRefused("ThrottlingException", "Rate exceeded", share=0.9))
    keep(database_url, promises, [an_event() for _ in range(10_000)])
    relay = relay_process.start(database_url, bus.url, lease_seconds=60)
    wait_until(lambda: bus.accepted, seconds=30)
    calls, used = bus.calls, cpu_seconds(relay.pid)
    time.sleep(WATCHED_SECONDS)  # how much is done in that time is what is looked at
    calls, used = bus.calls - calls, cpu_seconds(relay.pid) - used
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(30) == 0
    bus.fail_always(None)
    drain(database_url, bus.url)

    print(f"{calls * 60 / WATCHED_SECONDS:.0f} calls a minute, {used / WATCHED_SECONDS:.0%} of a core")  # noqa: T201 - figures
    assert calls / WATCHED_SECONDS < CALLS_A_SECOND
    assert used / WATCHED_SECONDS < CPU_SHARE
    assert nothing_lost(promises, bus.accepted, at_least=10_000).duplicates == 0
