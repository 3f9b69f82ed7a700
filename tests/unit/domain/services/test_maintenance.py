import logging
from threading import Event, Thread
from uuid import uuid4

import pytest

from adapters.in_memory import InMemoryIdempotency, InMemoryOutbox
from domain.model.errors import OutboxUnavailableError
from domain.model.outbox import LATE_SECONDS, OutboxCounts, Published, Rejected
from domain.services.maintenance import PURGE_BATCH, Housekeeping
from tests.support.databases.databases import Clock
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_event


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_counts_and_the_age_of_the_oldest_event_are_logged(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    outbox = InMemoryOutbox(clock)
    outbox.add(an_event())
    clock.advance(12.0)

    Housekeeping(outbox, InMemoryIdempotency(clock)).run_once(Event())

    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert record.__dict__["waiting"] == 1
    assert record.__dict__["oldest_waiting_seconds"] == 12.0


@pytest.mark.parametrize("is_rejected", [False, True])
def test_an_event_that_waits_for_long_or_is_rejected_is_a_warning(
    clock: Clock, caplog: pytest.LogCaptureFixture, *, is_rejected: bool
) -> None:
    outbox = InMemoryOutbox(clock)
    lease = outbox.add(an_event(), lease_seconds=5)
    if is_rejected:
        outbox.record([Rejected(lease, "malformed")])
    else:
        clock.advance(LATE_SECONDS + 1)

    Housekeeping(outbox, InMemoryIdempotency(clock)).run_once(Event())

    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_keys_that_are_over_are_erased(clock: Clock) -> None:
    keys = InMemoryIdempotency(clock)
    keys.begin(uuid4(), "k", "sha", lease_seconds=1)
    clock.advance(2 * 24 * 3600)

    Housekeeping(InMemoryOutbox(clock), keys).run_once(Event())

    assert keys.prune() == 0


def published(outbox: InMemoryOutbox, events: int) -> None:
    leases = [outbox.add(an_event(), lease_seconds=60) for _ in range(events)]
    outbox.record([Published(lease, "receipt") for lease in leases])


def transcripts(outbox: InMemoryOutbox) -> int:
    return sum(record.event is not None for record in outbox.records(limit=1_000))


def test_transcripts_are_purged_once_they_were_kept_for_long_enough(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    outbox = InMemoryOutbox(clock, keep_days=7)
    house = Housekeeping(outbox, InMemoryIdempotency(clock))
    published(outbox, 3)

    house.run_once(Event())
    assert transcripts(outbox) == 3
    clock.advance(7 * 24 * 3600)
    house.run_once(Event())

    assert (transcripts(outbox), outbox.counts().published) == (0, 3)
    assert [each.__dict__["events"] for each in caplog.records if "purged" in each.message] == [3]


def test_many_transcripts_are_purged_in_small_batches(clock: Clock) -> None:
    outbox = InMemoryOutbox(clock, keep_days=1)
    published(outbox, PURGE_BATCH + 1)
    clock.advance(24 * 3600)

    Housekeeping(outbox, InMemoryIdempotency(clock)).run_once(Event())

    assert transcripts(outbox) == 0


def test_a_run_is_cut_short_where_the_process_is_to_end(clock: Clock) -> None:
    outbox, stop = InMemoryOutbox(clock, keep_days=1), Event()
    published(outbox, 3 * PURGE_BATCH)
    clock.advance(24 * 3600)
    stop.set()

    Housekeeping(outbox, InMemoryIdempotency(clock)).run_once(stop)

    assert transcripts(outbox) == 2 * PURGE_BATCH


def test_a_process_that_ends_soon_has_kept_house_all_the_same(clock: Clock) -> None:
    outbox, stop = InMemoryOutbox(clock, keep_days=1), Event()
    published(outbox, 1)
    clock.advance(24 * 3600)
    stop.set()

    Housekeeping(outbox, InMemoryIdempotency(clock)).run(stop)

    assert transcripts(outbox) == 0


def test_a_store_that_is_away_does_not_end_it(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    class Away(InMemoryOutbox):
        def counts(self) -> OutboxCounts:
            raise OutboxUnavailableError("the disk is full")

    Housekeeping(Away(clock), InMemoryIdempotency(clock)).run_once(Event())

    assert "housekeeping failed" in caplog.text


class Defective(InMemoryOutbox):
    """Outbox that cannot count its events until it is mended."""

    is_mended = False
    asked = 0

    def counts(self) -> OutboxCounts:
        self.asked += 1
        if not self.is_mended:
            raise RuntimeError("a defect")
        return super().counts()


def test_an_unexpected_error_is_logged_with_its_trace_and_the_rest_is_done(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class DefectiveKeys(InMemoryIdempotency):
        def prune(self) -> int:
            raise RuntimeError("another defect")

    outbox = Defective(clock, keep_days=1)
    published(outbox, 1)
    clock.advance(24 * 3600)

    Housekeeping(outbox, DefectiveKeys(clock)).run_once(Event())

    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("ERROR", "unexpected error in housekeeping")
    ] * 2
    assert all(record.exc_info for record in caplog.records)
    assert {vars(record)["error_type"] for record in caplog.records} == {"RuntimeError"}
    assert transcripts(outbox) == 0


def test_a_run_that_fails_is_not_the_last(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stop, outbox = Event(), Defective(clock)
    house = Housekeeping(outbox, InMemoryIdempotency(clock))
    thread = Thread(target=house.run, args=(stop,), kwargs={"every_seconds": 0.001})
    thread.start()
    wait_until(lambda: outbox.asked > 2)

    outbox.is_mended = True
    wait_until(lambda: "outbox" in caplog.messages)
    stop.set()
    thread.join(60)

    assert not thread.is_alive()
