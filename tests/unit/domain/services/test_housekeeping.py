import logging
from threading import Event, Thread
from uuid import uuid4

import pytest

from adapters.in_memory import InMemoryIdempotency, InMemoryOutbox
from domain.model.errors import OutboxUnavailableError
from domain.model.outbox import OutboxCounts, Rejected
from domain.services.housekeeping import LATE_SECONDS, Housekeeping
from tests.factories import an_event


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_counts_and_the_age_of_the_oldest_event_are_logged(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    outbox = InMemoryOutbox(clock)
    outbox.add(an_event())
    clock.now += 12.0

    Housekeeping(outbox, InMemoryIdempotency(clock)).round()

    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert record.__dict__["waiting"] == 1
    assert record.__dict__["oldest_waiting_seconds"] == 12.0


def test_an_event_that_waits_for_long_is_a_warning(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    outbox = InMemoryOutbox(clock)
    outbox.add(an_event())
    clock.now += LATE_SECONDS + 1

    Housekeeping(outbox, InMemoryIdempotency(clock)).round()

    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_rejected_event_is_a_warning(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    outbox = InMemoryOutbox(clock)
    outbox.record([Rejected(outbox.add(an_event(), lease_seconds=5), "malformed")])

    Housekeeping(outbox, InMemoryIdempotency(clock)).round()

    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_keys_that_are_over_are_erased(clock: Clock) -> None:
    keys = InMemoryIdempotency(clock)
    keys.begin(uuid4(), "k", "sha", lease_seconds=1)
    clock.now += 2 * 24 * 3600

    Housekeeping(InMemoryOutbox(clock), keys).round()

    assert keys.prune() == 0


def test_a_store_that_is_away_does_not_end_it(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    class Away(InMemoryOutbox):
        def counts(self) -> OutboxCounts:
            raise OutboxUnavailableError("the disk is full")

    Housekeeping(Away(clock), InMemoryIdempotency(clock)).round()

    assert "housekeeping failed" in caplog.text


def test_it_goes_on_until_it_is_stopped(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stop = Event()
    house = Housekeeping(InMemoryOutbox(clock), InMemoryIdempotency(clock))
    thread = Thread(target=house.run, args=(stop,), kwargs={"every_seconds": 0.001})
    thread.start()
    while len(caplog.records) < 2:
        thread.join(0.001)

    stop.set()
    thread.join(5)

    assert not thread.is_alive()
