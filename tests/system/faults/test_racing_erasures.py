"""Erasures in parallel with all that may happen to a job: one terminal event, and nothing comes back."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier
from uuid import UUID, uuid4

import pytest

from adapters.files.recordings import FolderRecordingStore
from adapters.sql.database import Database
from adapters.sql.erasures.erasures import SqlErasures
from adapters.sql.jobs.jobs import SqlJobs
from adapters.sql.outbox.outbox import SqlOutbox
from domain.model.erasures import ErasureQuery
from domain.model.events.erased import ErasureCause, TranscriptErased
from domain.model.events.event import BatchProcessingCompleted
from domain.model.events.failed import BatchProcessingFailed
from domain.model.events.sent import StoredEvent
from domain.model.jobs import JobLease, JobState
from domain.model.outbox import Published
from domain.services.erasure.eraser import Eraser
from domain.services.erasure.erasure import TranscriptErasure
from tests.support.databases.databases import POSTGRESQL, Place, own_postgresql_server
from tests.support.harness.cases import typical_first
from tests.support.samples.jobs import (
    HALFWAY,
    QUEUE,
    UNDECODABLE,
    a_result,
    an_order,
    an_owner,
    completed,
    failed,
)

pytestmark = [pytest.mark.process, pytest.mark.slow]

ROUNDS = 20
STATES = [JobState.QUEUED, JobState.PROCESSING, JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED]


@pytest.fixture(scope="module", params=typical_first(["sqlite", POSTGRESQL], typical=[POSTGRESQL]))
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == POSTGRESQL:
        with own_postgresql_server() as server:
            opened = Place(POSTGRESQL, server.new_url()).open()
            yield opened
            opened.close()
        return
    opened = Place("sqlite", f"sqlite:///{tmp_path_factory.mktemp('race')}/test.db").open()
    yield opened
    opened.close()


class Race:
    """A job in a state, and everything that may happen to it at the same time."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.jobs, self.outbox = SqlJobs(database), SqlOutbox(database)
        self.erasures = SqlErasures(database)
        recordings = FolderRecordingStore(folder, owner=an_owner())
        eraser = Eraser(self.erasures, recordings, None, announces=True, wake=lambda: None)
        self.erasure = TranscriptErasure(self.erasures, eraser, self._cancel)
        self.tenant = uuid4()
        self.sent: list[StoredEvent] = []

    def begin(self, state: JobState) -> JobLease:
        """Add a job, lease it, and bring it into the state."""
        self.jobs.add(an_order(tenant_id=self.tenant))
        (lease,) = self.jobs.claim([QUEUE], limit=1, lease_seconds=60)
        ways: dict[JobState, Callable[[], object]] = {
            JobState.QUEUED: partial(
                self.jobs.postpone, lease, delay_seconds=0, problem=None, is_failure=False
            ),
            JobState.COMPLETED: partial(self.complete, lease),
            JobState.FAILED: partial(self.jobs.fail, lease, UNDECODABLE, failed(lease.job)),
            JobState.CANCELLED: partial(self.cancel, lease),
        }
        if state in ways:
            ways[state]()
        return lease

    def complete(self, lease: JobLease) -> bool:
        return self.jobs.complete(lease, a_result(), completed(lease.job))

    def work(self, lease: JobLease) -> None:
        """Work as a worker does that knows of nothing; a queued job is claimed anew."""
        for claimed in self.jobs.claim([QUEUE], limit=1, lease_seconds=60) or (lease,):
            self.jobs.advance(claimed, HALFWAY, units={"a": "{}"})
            self.complete(claimed)

    def relay(self) -> None:
        """Send all that is due, as a relay does."""
        while leases := self.outbox.lease_due(10, lease_seconds=60):
            self.sent += [lease.event for lease in leases]
            self.outbox.record([Published(lease, "event-1") for lease in leases])

    def erase(self) -> None:
        self.erasure.run(
            ErasureQuery(tenant_id=self.tenant), requested_by="alice", cause=ErasureCause.REQUEST
        )

    def cancel(self, lease: JobLease) -> None:
        self._cancel(self.tenant, lease.job.id)

    def _cancel(self, _tenant: UUID, job_id: UUID) -> None:
        job = self.jobs.find(job_id)
        if job is not None:
            self.jobs.cancel(job_id, UNDECODABLE, failed(job))


def all_at_once(calls: list[Callable[[], object]]) -> None:
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        barrier.wait(60)
        call()

    with ThreadPoolExecutor(len(calls)) as threads:
        for each in [threads.submit(run, call) for call in calls]:
            each.result()


@pytest.mark.parametrize("state", typical_first(STATES, typical=[JobState.PROCESSING, JobState.COMPLETED]))
def test_a_job_that_is_erased_while_all_else_happens_ends_once_and_stays_away(
    database: Database, tmp_path: Path, state: JobState
) -> None:
    for number in range(ROUNDS):
        race = Race(database, tmp_path)
        lease = race.begin(state)
        calls: list[Callable[[], object]] = [
            race.erase,
            partial(race.work, lease),
            partial(race.cancel, lease),
            race.relay,
        ]
        first = number % len(calls)

        all_at_once(calls[first:] + calls[:first])
        race.erase()  # the search may have come before the end of the job
        race.complete(lease)
        race.relay()

        terminal = [each for each in race.sent if not isinstance(each, TranscriptErased)]
        erased = [each for each in race.sent if isinstance(each, TranscriptErased)]
        assert len(terminal) <= 1
        assert [type(each) for each in terminal] == [BatchProcessingFailed] or erased
        assert race.jobs.find(lease.job.id) is None
        assert race.jobs.units(lease) == {}
        records = race.outbox.records(limit=1000)
        assert not [each for each in records if isinstance(each.event, BatchProcessingCompleted)]
        assert race.erasures.erased([lease.job.id]) == {lease.job.id}
