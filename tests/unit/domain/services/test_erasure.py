"""Erasures by the services: cancelling, repeating, what is left, and what is due by its age."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from uuid import uuid4

import pytest

from adapters.in_memory import InMemoryPayloadStore
from domain.model.erasures import ErasureQuery
from domain.model.errors import JobStoreUnavailableError, PayloadStoreError
from domain.model.events.erased import ErasureCause, TranscriptErased
from domain.model.events.failed import BatchProcessingFailed
from domain.model.jobs import Job, JobState
from domain.model.outbox import Published
from domain.services.erasure.eraser import STILL_LEASED, Eraser
from domain.services.erasure.erasure import (
    MAX_FAILURES,
    NOT_SCRUBBED,
    SEARCH_SECONDS,
    ErasureReport,
    TranscriptErasure,
    TranscriptRetention,
)
from tests.support.harness.jobs import TENANT, JobHarness
from tests.support.samples.factories import an_event
from tests.support.samples.jobs import a_result, completed

EVERYTHING = ErasureQuery(tenant_id=TENANT)
DAY = 86_400


class Harness(JobHarness):
    """Jobs, with all that erases them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.payloads = InMemoryPayloadStore()
        self.eraser = self.an_eraser(self.payloads)
        self.erasure = TranscriptErasure(self.erasures, self.eraser, self.service.cancel)

    def an_eraser(self, payloads: InMemoryPayloadStore) -> Eraser:
        return Eraser(
            self.erasures,
            self.recordings,
            payloads,
            announces=True,
            wake=lambda: self.woken.append(True),
        )

    def run(self, query: ErasureQuery = EVERYTHING) -> ErasureReport:
        return self.erasure.run(query, requested_by="alice", cause=ErasureCause.REQUEST)

    def completed(self) -> Job:
        """Submit a job, and complete it; its event waits."""
        self.submit()
        lease = self.claim()
        assert self.jobs.complete(lease, a_result(), completed(lease.job))
        return self.job(lease.job)

    def publish(self) -> None:
        """Have every event published."""
        leases = self.outbox.lease_due(100, lease_seconds=60)
        self.outbox.record([Published(lease, "event-1") for lease in leases])

    def retention(self, days: float | None = 30.0) -> TranscriptRetention:
        return TranscriptRetention(
            lambda: self.erasure,
            keep_days=days,
            now=lambda: datetime.fromtimestamp(self.clock(), UTC),
            clock=self.clock,
        )


class Refusing(InMemoryPayloadStore):
    """Payload store whose role may not delete, and that counts the tries."""

    def __init__(self) -> None:
        super().__init__()
        self.tries = 0

    def erase(self, *_: object) -> int:
        self.tries += 1
        raise PayloadStoreError("AccessDenied")


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path)


def test_everything_of_a_tenant_is_erased_and_the_relay_is_woken(harness: Harness) -> None:
    job = harness.completed()
    event = an_event(tenant_id=TENANT)
    harness.outbox.add(event)
    harness.payloads.store(event)
    harness.woken.clear()

    report = harness.run()

    assert report == ErasureReport(interactions=2, jobs=1, events=2, recordings=1, payloads=1, announced=2)
    assert report.ok
    assert harness.woken
    assert harness.jobs.find(job.id) is None
    assert harness.recordings.stored() == set()
    assert {type(each) for each in harness.events()} == {TranscriptErased}


@pytest.mark.parametrize("is_leased", [False, True])
def test_a_job_that_has_not_ended_is_cancelled_and_keeps_that_event(
    harness: Harness, *, is_leased: bool
) -> None:
    job = harness.submit()
    lease = harness.claim() if is_leased else None

    report = harness.run()

    assert (report.cancelled, report.jobs, report.announced) == (1, 1, 0)
    assert harness.recordings.stored() == set()
    (event,) = harness.events()
    assert isinstance(event, BatchProcessingFailed)
    assert event.data.reason == JobState.CANCELLED
    assert harness.rung[-1] == job.id
    assert lease is None or not harness.jobs.complete(lease, a_result(), completed(lease.job))


def test_a_second_run_does_nothing(harness: Harness) -> None:
    harness.completed()
    harness.run()

    assert harness.run() == ErasureReport()


@pytest.mark.parametrize(
    "others",
    [
        ErasureQuery(tenant_id=uuid4()),
        ErasureQuery(tenant_id=TENANT, user_id="bob"),
        ErasureQuery(tenant_id=TENANT, before=datetime(2020, 1, 1, tzinfo=UTC)),
    ],
    ids=["another tenant", "another user", "later"],
)
def test_an_interaction_that_the_query_excludes_is_not_erased(harness: Harness, others: ErasureQuery) -> None:
    job = harness.completed()

    report = harness.run(replace(others, interaction_id=job.id))

    assert report == ErasureReport()
    assert harness.job(job).state is JobState.COMPLETED
    assert harness.recordings.stored()


def test_an_interaction_that_is_named_is_erased_once(harness: Harness) -> None:
    job = harness.completed()

    report = harness.run(ErasureQuery(interaction_id=job.id, tenant_id=TENANT))

    assert (report.interactions, report.jobs) == (1, 1)


def test_an_interaction_that_no_store_knows_any_more_is_erased_by_its_name(harness: Harness) -> None:
    pruned = ErasureQuery(interaction_id=uuid4(), tenant_id=TENANT)

    assert [each.id for each in harness.erasure.find(pruned)] == [pruned.interaction_id]
    assert harness.run(pruned).interactions == 1
    assert harness.erasures.erased([pruned.interaction_id or uuid4()])


def test_many_interactions_are_found_page_by_page(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.services.erasure.erasure.PAGE", 2)
    for _ in range(5):
        harness.completed()

    assert harness.run().interactions == 5


def test_what_cannot_be_deleted_is_reported_and_deleted_by_the_next_run(harness: Harness) -> None:
    job = harness.completed()
    harness.recordings.is_away = True

    first = harness.run()
    harness.recordings.is_away = False

    assert not first.ok
    assert list(first.pending) == [job.id]
    assert harness.run() == ErasureReport(recordings=1)


def test_an_object_that_a_relay_may_still_write_is_deleted_again_later(harness: Harness) -> None:
    event = an_event(tenant_id=TENANT)
    harness.outbox.add(event)
    harness.outbox.lease_due(1, lease_seconds=60)

    first = harness.run()
    harness.payloads.store(event)  # the relay, which knows of nothing
    harness.clock.advance(61)

    assert first.pending == {event.interaction_id: STILL_LEASED}
    assert harness.run() == ErasureReport(payloads=1)


@pytest.mark.parametrize("error", [JobStoreUnavailableError("away"), KeyboardInterrupt()])
def test_a_failure_is_in_the_report_with_what_was_done(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    for _ in range(3):
        harness.completed()
    erase, calls = harness.erasures.erase, iter([None, error])

    def failing(*arguments: object) -> object:
        if (raised := next(calls)) is not None:
            raise raised
        return erase(*arguments)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(harness.erasures, "erase", failing)

    report = harness.run()

    assert (report.interactions, report.ok) == (1, False)
    assert report.interrupted == isinstance(error, KeyboardInterrupt)


def test_a_log_of_the_database_that_cannot_be_emptied_is_told(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness.erasures, "scrub", lambda: False)

    assert harness.run().problem == NOT_SCRUBBED


def test_transcripts_are_erased_once_their_time_is_over(harness: Harness) -> None:
    old = harness.completed()
    harness.publish()
    harness.clock.advance(20 * DAY)
    new = harness.completed()
    harness.publish()
    harness.clock.advance(11 * DAY)

    harness.retention().sweep(Event())

    assert harness.jobs.find(old.id) is None
    assert harness.jobs.find(new.id)
    (event,) = harness.events()
    assert isinstance(event, TranscriptErased)
    assert event.data.cause is ErasureCause.RETENTION


def test_no_running_job_and_no_unpublished_event_is_erased_by_its_age(harness: Harness) -> None:
    running, unsent = harness.submit(), harness.completed()
    harness.clock.advance(100 * DAY)

    harness.retention().sweep(Event())

    assert harness.jobs.find(running.id)
    assert harness.jobs.find(unsent.id)


def test_transcripts_are_kept_by_default(harness: Harness) -> None:
    job = harness.completed()
    harness.publish()
    harness.clock.advance(3000 * DAY)

    harness.retention(None).sweep(Event())

    assert harness.jobs.find(job.id)


def test_the_search_for_old_transcripts_takes_place_once_an_hour(harness: Harness) -> None:
    retention = harness.retention(days=0.001)
    retention.sweep(Event())
    job = harness.completed()
    harness.publish()
    harness.clock.advance(SEARCH_SECONDS / 2)

    retention.sweep(Event())
    assert harness.jobs.find(job.id)

    harness.clock.advance(SEARCH_SECONDS / 2)
    retention.sweep(Event())
    assert harness.jobs.find(job.id) is None


def test_objects_that_the_service_may_not_delete_are_left_to_an_operator(harness: Harness) -> None:
    refusing = Refusing()
    harness.erasure = TranscriptErasure(harness.erasures, harness.an_eraser(refusing), harness.service.cancel)
    for _ in range(MAX_FAILURES + 2):
        harness.completed()
    harness.publish()
    harness.clock.advance(31 * DAY)

    harness.retention().sweep(Event())

    assert refusing.tries == MAX_FAILURES
    assert len(harness.erasures.pending(100)) == MAX_FAILURES + 2


def test_a_sweep_that_is_stopped_erases_nothing_more(harness: Harness) -> None:
    job = harness.completed()
    harness.publish()
    harness.clock.advance(31 * DAY)
    stop = Event()
    stop.set()

    harness.retention().sweep(stop)

    assert harness.jobs.find(job.id)
