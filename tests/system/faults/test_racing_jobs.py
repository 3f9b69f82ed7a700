"""Races and faults of jobs on real databases: each job ends once, and tenants get their turns."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event
from uuid import UUID, uuid4

import pytest

from adapters.sql.database import Database
from adapters.sql.engines.factory import engine_for
from adapters.sql.jobs.jobs import SqlJobs
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.upgrade import upgrade_schema
from domain.model.errors import JobStoreUnavailableError
from domain.model.jobs import MAX_FAILURES, JobLease, JobState
from tests.support.databases.databases import Clock, PostgreSqlServer, own_postgresql_server
from tests.support.harness.cases import typical_first
from tests.support.harness.service import wait_until
from tests.support.samples.jobs import QUEUE, UNDECODABLE, a_result, an_order, completed, failed

pytestmark = [pytest.mark.slow, pytest.mark.process]

RACES = 200
JOBS, TENANTS, MANY = 1000, 50, 900
LEASE_SECONDS = 40.0


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSqlServer]:
    with own_postgresql_server() as server:
        yield server


@pytest.fixture
def own_server() -> Iterator[PostgreSqlServer]:
    """Start a server that a test may restart."""
    with own_postgresql_server() as server:
        yield server


@pytest.fixture(params=typical_first(["sqlite", "postgresql"], typical=["postgresql"]))
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/transcripts.db"
    else:
        url = request.getfixturevalue("postgresql").new_url()
    database = Database(engine_for(url))
    upgrade_schema(database)
    yield database
    database.close()


def claim(jobs: SqlJobs, limit: int, **changes: int) -> tuple[JobLease, ...]:
    return jobs.claim([QUEUE], limit=limit, lease_seconds=LEASE_SECONDS, **changes)


def statuses(outbox: SqlOutbox) -> dict[UUID, list[str]]:
    """Return the statuses of the events of each job."""
    found: dict[UUID, list[str]] = {}
    for record in outbox.records(limit=10_000):
        assert record.event
        found.setdefault(record.interaction_id, []).append(record.event.status)
    return found


def test_cancel_and_finish_at_once_leave_one_end_and_one_event(database: Database) -> None:
    jobs, outbox = SqlJobs(database), SqlOutbox(database)
    for _ in range(RACES):
        jobs.add(an_order())
    leases = claim(jobs, RACES)
    together = Barrier(2)

    def cancel(lease: JobLease) -> bool:
        together.wait()
        return jobs.cancel(lease.job.id, UNDECODABLE, failed(lease.job))

    def finish(lease: JobLease) -> bool:
        together.wait()
        return jobs.complete(lease, a_result(), completed(lease.job))

    with ThreadPoolExecutor(2) as threads:
        cancelled, finished = threads.map(lambda end: [end(lease) for lease in leases], (cancel, finish))

    assert [one + other for one, other in zip(cancelled, finished, strict=True)] == [1] * RACES
    states = {JobState.CANCELLED: ["failed"], JobState.COMPLETED: ["completed"]}
    events = statuses(outbox)
    for lease in leases:
        job = jobs.find(lease.job.id)
        assert job
        assert events.pop(lease.job.id) == states[job.state]
        assert (jobs.result(job.id) is not None) == (job.state is JobState.COMPLETED)
    assert events == {}


def test_two_workers_with_one_job_leave_one_event(database: Database) -> None:
    """The lease of the first one expired; both finish at the same time."""
    clock = Clock()
    jobs, outbox = SqlJobs(database, now=clock.in_sql), SqlOutbox(database)
    for _ in range(RACES // 4):
        jobs.add(an_order())
    slow = {lease.job.id: lease for lease in claim(jobs, RACES)}
    clock.advance(LEASE_SECONDS)
    quick = {lease.job.id: lease for lease in claim(jobs, RACES)}
    together = Barrier(2)

    def finish(leases: dict[UUID, JobLease]) -> list[bool]:
        ended = []
        for job_id in slow:
            together.wait()
            ended.append(jobs.complete(leases[job_id], a_result(), completed(leases[job_id].job)))
        return ended

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(finish, (slow, quick))) == [[False] * len(slow), [True] * len(slow)]

    assert statuses(outbox) == {job_id: ["completed"] for job_id in slow}


@pytest.mark.exhaustive
def test_a_tenant_with_900_of_1000_jobs_delays_no_other_and_all_end_once(database: Database) -> None:
    jobs, outbox = SqlJobs(database), SqlOutbox(database)
    tenants = [uuid4() for _ in range(TENANTS)]
    others = [tenants[1 + number % (TENANTS - 1)] for number in range(JOBS - MANY)]
    accepted = {jobs.add(an_order(tenant_id=tenant)).id for tenant in [*[tenants[0]] * MANY, *others]}

    leases = [lease for _ in range(TENANTS // 10) for lease in claim(jobs, 10)]
    first = Counter(lease.job.order.identity.tenant_id for lease in leases)
    for lease in leases:
        jobs.complete(lease, a_result(), completed(lease.job))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: work_until_none_is_left(jobs), range(4)))

    assert first == dict.fromkeys(tenants, 1)
    assert statuses(outbox) == {job_id: ["completed"] for job_id in accepted}


def work_until_none_is_left(jobs: SqlJobs) -> None:
    while work(jobs, 10, LEASE_SECONDS):
        pass


def test_the_limit_of_a_tenant_holds_under_concurrent_claims(database: Database) -> None:
    jobs, tenants = SqlJobs(database), [uuid4() for _ in range(5)]
    for tenant in tenants:
        for _ in range(20):
            jobs.add(an_order(tenant_id=tenant))

    def work(number: int) -> list[JobLease]:
        chance = random.Random(number)  # noqa: S311 - no secret
        return [lease for _ in range(5) for lease in claim(jobs, chance.randint(1, 4), tenant_limit=3)]

    with ThreadPoolExecutor(8) as threads:
        leases = [lease for each in threads.map(work, range(8)) for lease in each]

    assert Counter(lease.job.order.identity.tenant_id for lease in leases) == dict.fromkeys(tenants, 3)
    assert len({lease.job.id for lease in leases}) == 15


def test_a_job_that_kills_its_workers_fails_alone(database: Database) -> None:
    clock = Clock()
    jobs, outbox = SqlJobs(database, now=clock.in_sql), SqlOutbox(database)
    deadly = jobs.add(an_order())
    neighbours = []
    for _ in range(MAX_FAILURES + 1):
        neighbours.append(jobs.add(an_order()))
        leases = {lease.job.id: lease for lease in claim(jobs, 10)}
        if leases[deadly.id].has_failed:
            assert jobs.fail(leases[deadly.id], UNDECODABLE, failed(deadly))
        neighbour = leases[neighbours[-1].id]
        assert neighbour.job.failures == 0
        assert jobs.complete(neighbour, a_result(), completed(neighbour.job))
        clock.advance(LEASE_SECONDS)

    assert claim(jobs, 10) == ()
    assert statuses(outbox) == {deadly.id: ["failed"], **{job.id: ["completed"] for job in neighbours}}


def again_and_again(act: Callable[[], object], stop: Event) -> None:
    """Act until the end, with a pause after each failure of the database."""
    while not stop.is_set():
        try:
            act()
        except JobStoreUnavailableError:
            stop.wait(0.05)


def work(jobs: SqlJobs, limit: int, lease_seconds: float) -> int:
    """Complete jobs; return the number of those that have not ended."""
    for lease in jobs.claim([QUEUE], limit=limit, lease_seconds=lease_seconds):
        jobs.complete(lease, a_result(), completed(lease.job))
    counts = jobs.counts()
    return counts.queued + counts.processing


def test_jobs_of_a_restarted_postgresql_end_once(own_server: PostgreSqlServer) -> None:
    database = Database(engine_for(own_server.new_url()))
    upgrade_schema(database)
    jobs, accepted, stop = SqlJobs(database), list[UUID](), Event()
    acts: list[Callable[[], object]] = [
        lambda: accepted.append(jobs.add(an_order()).id),
        lambda: work(jobs, 2, lease_seconds=1),
        lambda: work(jobs, 2, lease_seconds=1),
    ]

    with ThreadPoolExecutor(len(acts)) as threads:
        running = [threads.submit(again_and_again, act, stop) for act in acts]
        wait_until(lambda: len(accepted) > 20)
        own_server.restart_at_once()
        before = len(accepted)
        wait_until(lambda: len(accepted) > before + 20)
        stop.set()
        for each in running:
            each.result()
    wait_until(lambda: work(jobs, 1000, LEASE_SECONDS) == 0)
    events = statuses(SqlOutbox(database))
    database.close()

    assert len(accepted) == len(set(accepted))
    assert set(accepted) <= set(events)
    assert {tuple(each) for each in events.values()} == {("completed",)}
