"""The relay with its real transport, against every way in which a bus can fail: nothing is lost."""

import json
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from domain.model.events.event import read_event
from domain.model.outbox import OutboxState
from tests.support.aws.event_bridges import IMPATIENT, client_of, publisher
from tests.support.doubles.stub_bus import (
    ACCESS_DENIED,
    EXPIRED_TOKEN,
    INTERNAL_ERROR,
    THROTTLED,
    CallError,
    Cut,
    EntryCount,
    Fault,
    Garbage,
    Latency,
    Refusal,
    SomeRefused,
    StubBus,
    TextRefused,
)
from tests.support.harness.relay import RelayAtWork

pytestmark = pytest.mark.slow

PASSING: list[Fault] = [
    INTERNAL_ERROR,
    THROTTLED,
    EXPIRED_TOKEN,
    ACCESS_DENIED,
    CallError(400, "NeverHeardOf"),
    CallError(503, "ServiceUnavailable"),
    Garbage(b"<html>a captive portal</html>"),
    Garbage(b"{}"),
    Garbage(b'{"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]}'),
    Garbage(b"<html>bad gateway</html>", 502),
    EntryCount(0),
    EntryCount(11),
    Cut.RESET,
    Cut.HALFWAY,
    Cut.CLOSE,
    Refusal("InternalFailure", at=3),
    Refusal("ThrottlingException", at=0),
    Refusal("AccessDeniedException", at=9),
    Refusal("NeverHeardOf", at=5),
]


NO_ANSWER: list[Fault] = [Latency(3), Cut.HANG]
"""The events are taken, too late or at once, and nobody waits any longer."""


@pytest.fixture
def bus() -> Iterator[StubBus]:
    with StubBus() as bus:
        yield bus


@pytest.fixture
def impatiently_at_work(bus: StubBus) -> Callable[[], RelayAtWork]:
    """For answers that never come."""

    def relay() -> RelayAtWork:
        return RelayAtWork(publisher(client_of(bus.url, IMPATIENT)))

    return relay


@pytest.fixture
def patiently_at_work(bus: StubBus) -> Callable[[], RelayAtWork]:
    """For what is to be sent once: an answer that is given up may belong to an event that was taken."""

    def relay() -> RelayAtWork:
        return RelayAtWork(publisher(client_of(bus.url)))

    return relay


def received(bus: StubBus) -> list[UUID]:
    """What a consumer would get; each of it keeps to the schema."""
    return [read_event(entry["Detail"]).interaction_id for entry in bus.accepted]


@pytest.mark.parametrize("fault", [*PASSING, *NO_ANSWER], ids=str)
def test_a_fault_that_passes_loses_nothing(
    bus: StubBus,
    impatiently_at_work: Callable[[], RelayAtWork],
    patiently_at_work: Callable[[], RelayAtWork],
    fault: Fault,
) -> None:
    here = impatiently_at_work() if fault in NO_ANSWER else patiently_at_work()
    sent = {event.interaction_id for event in here.add(60)}
    bus.fail_next(*[fault] * 3)

    here.work()

    assert here.ids(OutboxState.PUBLISHED) == sent
    assert set(received(bus)) == sent
    duplicates = len(received(bus)) - 60
    assert duplicates <= (30 if isinstance(fault, Cut | Latency | EntryCount) else 0)


@pytest.mark.parametrize("fault", [INTERNAL_ERROR, EXPIRED_TOKEN, Garbage(b"<html>"), Cut.RESET], ids=str)
def test_a_fault_that_lasts_costs_few_calls_and_no_event(
    bus: StubBus, patiently_at_work: Callable[[], RelayAtWork], fault: Fault
) -> None:
    here = patiently_at_work()
    sent = {event.interaction_id for event in here.add(300)}
    bus.fail_always(fault)

    here.work(600)
    assert bus.calls <= 60
    assert here.outbox.counts().waiting == 300

    bus.fail_always(None)
    here.work()
    assert set(received(bus)) == sent


def test_a_third_of_the_entries_failing_loses_nothing_and_sends_nothing_twice(
    bus: StubBus, patiently_at_work: Callable[[], RelayAtWork]
) -> None:
    here = patiently_at_work()
    sent = {event.interaction_id for event in here.add(1000)}
    bus.fail_always(SomeRefused("InternalFailure", share=0.3))

    here.work()

    assert sorted(received(bus)) == sorted(sent)
    assert here.clock.at - 1_000_000 < 300


def test_most_entries_throttled_loses_nothing(
    bus: StubBus, patiently_at_work: Callable[[], RelayAtWork]
) -> None:
    here = patiently_at_work()
    sent = {event.interaction_id for event in here.add(500)}
    bus.fail_always(SomeRefused("ThrottlingException", share=0.9))

    here.work()

    assert sorted(received(bus)) == sorted(sent)
    assert bus.calls < 2500  # 5,000 tries are to be expected, most of them in tens, the last ones alone


def test_poison_among_thousands_is_parked_alone(
    bus: StubBus, patiently_at_work: Callable[[], RelayAtWork]
) -> None:
    here = patiently_at_work()
    events = here.add(2000)
    poison = events[777]
    bus.fail_always(TextRefused("MalformedDetail", text=str(poison.interaction_id)))

    here.work()

    assert here.ids(OutboxState.REJECTED) == {poison.interaction_id}
    assert here.record(poison.interaction_id).reason == "EventBridge refused the event: MalformedDetail"
    assert sorted(received(bus)) == sorted(
        {event.interaction_id for event in events} - {poison.interaction_id}
    )


def test_what_a_consumer_gets_is_what_was_handed_in(
    bus: StubBus, patiently_at_work: Callable[[], RelayAtWork]
) -> None:
    here = patiently_at_work()
    (event,) = here.add()

    here.work()

    (entry,) = bus.accepted
    assert read_event(entry["Detail"]) == event
    assert json.loads(entry["Detail"])["version"] == "1.0"
