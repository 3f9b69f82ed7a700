"""Contract of every store of jobs: one test for each sentence of `JobStorePort`'s docstrings.

A store binds the contract by subclassing it and providing the fixture `kept`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from domain.model.clock import SECONDS_PER_DAY
from domain.model.errors import IdempotencyConflictError, JobStoreUnavailableError
from domain.model.events.sent import StoredEvent
from domain.model.jobs import (
    Job,
    JobCursor,
    JobKey,
    JobLease,
    JobOrder,
    JobProgress,
    JobQuery,
    JobStage,
    JobState,
)
from domain.model.outbox import MAX_WAIT_SECONDS
from domain.model.result_warnings import ResultWarning, WarningCode
from domain.model.transcripts import Channels, TranscriptionOptions
from ports.job_store_port import JobStorePort
from ports.outbox_port import OutboxPort
from tests.support.databases.databases import Clock
from tests.support.harness.leases import lease_of
from tests.support.samples.factories import A_TRACEPARENT, an_event
from tests.support.samples.jobs import (
    BUSY,
    HALFWAY,
    QUEUE,
    UNDECODABLE,
    a_recording,
    a_result,
    an_order,
    completed,
    failed,
)

AWKWARD_TEXTS = (
    "Grüße, 你好, שלום 👩‍👩‍👧 𝄞",
    "'; DROP TABLE jobs; --",
    "a\x00b \x1b[31m \u202e",
    "x" * 300_000,
)
LEASE_SECONDS = 40.0
WAITING = [JobState.QUEUED, JobState.PROCESSING]
FINAL = [JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED]


@dataclass(frozen=True)
class KeptJobs:
    """A store of jobs with its clock, and the outbox that stands beside it."""

    port: JobStorePort
    outbox: OutboxPort
    clock: Clock
    reopened: Callable[[], JobStorePort] | None = None
    """The same store opened by another process; None if no job outlives the process."""
    broken: Callable[[], JobStorePort] | None = None
    """A store that is unavailable; None if it cannot fail."""

    def claim(self, limit: int = 100, **changes: object) -> tuple[JobLease, ...]:
        arguments: dict[str, object] = {"limit": limit, "lease_seconds": LEASE_SECONDS, **changes}
        return self.port.claim([QUEUE], **arguments)  # type: ignore[arg-type]  # the test names them

    def claim_one(self, **changes: object) -> JobLease:
        (lease,) = self.claim(1, **changes)
        return lease

    def leased(self, order: JobOrder | None = None) -> JobLease:
        """Add a job and lease it; others that are due are queued again."""
        job = self.port.add(order or an_order())
        return lease_of(self.port, job.id, QUEUE, lease_seconds=LEASE_SECONDS)

    def job(self, job: Job | UUID) -> Job:
        """Read a job that exists."""
        found = self.port.find(job if isinstance(job, UUID) else job.id)
        assert found
        return found

    def job_in(self, state: JobState, order: JobOrder | None = None) -> Job:
        """Bring a new job into a state."""
        lease = self.leased(order)
        match state:
            case JobState.QUEUED:
                assert self.port.postpone(lease, delay_seconds=0, problem=None, is_failure=False)
            case JobState.COMPLETED:
                assert self.port.complete(lease, a_result(), completed(lease.job))
            case JobState.FAILED:
                assert self.port.fail(lease, UNDECODABLE, failed(lease.job))
            case JobState.CANCELLED:
                assert self.port.cancel(lease.job.id, UNDECODABLE, failed(lease.job))
        return self.job(lease.job)

    def events(self) -> list[StoredEvent]:
        """Read the events of the outbox, in the order in which they came."""
        return [record.event for record in reversed(self.outbox.records(limit=10_000)) if record.event]

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)


def _changes(kept: KeptJobs, lease: JobLease) -> list[Callable[[], bool]]:
    """List all changes that a lease allows."""
    port, job = kept.port, lease.job
    return [
        lambda: bool(port.renew([lease], lease_seconds=60)),
        lambda: port.advance(lease, HALFWAY, units={"stale": "{}"}),
        lambda: port.attach(lease, a_recording()),
        lambda: port.postpone(lease, delay_seconds=1, problem=BUSY, is_failure=True),
        lambda: port.complete(lease, a_result(), completed(job)),
        lambda: port.fail(lease, UNDECODABLE, failed(job)),
    ]


class JobStorePortContract:
    """Bound by each adapter of `JobStorePort`."""

    # the store

    def test_an_added_job_is_visible_to_other_processes(self, kept: KeptJobs) -> None:
        if kept.reopened is None:
            pytest.skip("nothing here outlives the process")
        job = kept.port.add(an_order())

        assert kept.reopened().find(job.id) == job

    def test_any_number_of_threads_may_use_it_at_once(self, kept: KeptJobs) -> None:
        def work(_number: int) -> UUID:
            kept.port.add(an_order())
            lease = kept.claim_one()
            assert kept.port.advance(lease, HALFWAY, units={"a": "{}"})
            assert kept.port.complete(lease, a_result(), completed(lease.job))
            return lease.job.id

        with ThreadPoolExecutor(4) as threads:
            done = list(threads.map(work, range(20)))

        assert len(set(done)) == 20
        assert {event.interaction_id for event in kept.events()} == set(done)

    def test_every_method_reports_a_store_that_cannot_be_reached(self, kept: KeptJobs) -> None:
        if kept.broken is None:
            pytest.skip("there is nothing that could be away")
        lease = kept.leased()
        job = lease.job
        port = kept.broken()
        calls: list[Callable[[], object]] = [
            lambda: port.add(an_order()),
            lambda: port.find(job.id),
            lambda: port.page(JobQuery(uuid4())),
            lambda: port.result(job.id),
            lambda: port.revisions([job.id]),
            port.counts,
            lambda: port.claim([QUEUE], limit=1, lease_seconds=1),
            lambda: port.renew([lease], lease_seconds=1),
            lambda: port.advance(lease, HALFWAY),
            lambda: port.units(lease),
            lambda: port.attach(lease, a_recording()),
            lambda: port.postpone(lease, delay_seconds=1, problem=None, is_failure=False),
            lambda: port.complete(lease, a_result(), None),
            lambda: port.fail(lease, UNDECODABLE, None),
            lambda: port.cancel(job.id, UNDECODABLE, None),
            lambda: port.retry(job.id, an_order()),
            lambda: port.expired(1, jobs_keep_seconds=0, recordings_keep_seconds=0),
            lambda: port.known_recordings(["a"]),
            lambda: port.due(1),
        ]

        for call in calls:
            with pytest.raises(JobStoreUnavailableError):
                call()

    def test_no_job_waits_for_a_clock_that_was_set_back_by_hours(self, kept: KeptJobs) -> None:
        crashed, late = kept.leased(), kept.leased()
        kept.port.postpone(late, delay_seconds=60, problem=BUSY, is_failure=False)
        kept.clock.advance(-8 * 3600)

        leases = kept.claim()

        assert {lease.job.id for lease in leases} == {crashed.job.id, late.job.id}
        assert kept.claim() == ()
        assert not kept.port.complete(crashed, a_result(), completed(crashed.job))

    def test_a_worker_keeps_its_lease_although_the_clock_was_set_on_by_an_hour(self, kept: KeptJobs) -> None:
        lease = kept.leased()
        kept.clock.advance(3600)

        assert kept.port.renew([lease], lease_seconds=LEASE_SECONDS) == {lease.job.id}

        assert kept.claim() == ()
        assert kept.port.complete(lease, a_result(), completed(lease.job))

    @pytest.mark.parametrize("state", FINAL)
    def test_a_job_ends_once(self, kept: KeptJobs, state: JobState) -> None:
        lease = kept.leased()
        job, port = lease.job, kept.port
        ends: dict[JobState, Callable[[], bool]] = {
            JobState.COMPLETED: lambda: port.complete(lease, a_result(), completed(job)),
            JobState.FAILED: lambda: port.fail(lease, UNDECODABLE, failed(job)),
            JobState.CANCELLED: lambda: port.cancel(job.id, UNDECODABLE, failed(job)),
        }

        assert ends[state]()
        ended = kept.job(job)
        assert [ends[each]() for each in FINAL] == [False] * 3

        assert kept.job(job) == ended
        assert ended.state is state
        assert len(kept.events()) == 1

    # add and find

    def test_a_new_job_is_queued(self, kept: KeptJobs) -> None:
        order = an_order()

        job = kept.port.add(order)

        assert kept.port.find(order.id) == job
        assert job.order == order
        assert (job.state, job.progress, job.failures) == (JobState.QUEUED, JobProgress(), 0)
        assert job.created_at == job.updated_at == kept.now
        assert (job.started_at, job.finished_at, job.problem) == (None, None, None)
        assert (job.event_id, job.retried_as) == (None, None)

    def test_an_order_comes_back_as_it_was_added(self, kept: KeptJobs) -> None:
        order = an_order(
            account_id=None,
            queue="slow",
            options=TranscriptionOptions(
                channels=Channels.SEPARATE, language="de", vocabulary=("Grüße", "O'Neill")
            ),
            metadata={"call": {"id": [1, 2.5, None, True]}, "größe": "a\x00b 👩‍👩‍👧"},
            warnings=(ResultWarning(code=WarningCode.UNKNOWN_PARAMETER, detail="colour is no parameter"),),
            traceparent=A_TRACEPARENT,
        )

        kept.port.add(order)

        assert kept.job(order.id).order == order

    def test_a_job_may_have_a_source_instead_of_a_recording(self, kept: KeptJobs) -> None:
        job = kept.port.add(an_order(source_url="https://example.com/größe.wav?a=%20b"))

        assert kept.job(job).order.recording is None
        assert kept.job(job).order.source_url == "https://example.com/größe.wav?a=%20b"

    def test_the_job_of_a_known_key_is_returned(self, kept: KeptJobs) -> None:
        key = JobKey(uuid4(), "a key", "a fingerprint")
        first = kept.port.add(an_order(key=key))

        again = kept.port.add(an_order(key=key))

        assert again == first
        assert len(kept.claim()) == 1

    def test_the_job_of_a_known_key_is_returned_after_its_end_as_well(self, kept: KeptJobs) -> None:
        key = JobKey(uuid4(), "a key", "a fingerprint")
        ended = kept.job_in(JobState.COMPLETED, an_order(key=key))

        assert kept.port.add(an_order(key=key)) == ended

    def test_the_same_key_of_another_scope_is_another_job(self, kept: KeptJobs) -> None:
        jobs = [kept.port.add(an_order(key=JobKey(uuid4(), "a key", "a fingerprint"))) for _ in range(2)]

        assert jobs[0].id != jobs[1].id

    def test_one_of_many_concurrent_orders_with_one_key_is_stored(self, kept: KeptJobs) -> None:
        key = JobKey(uuid4(), "a key", "a fingerprint")

        with ThreadPoolExecutor(8) as threads:
            jobs = list(threads.map(lambda _: kept.port.add(an_order(key=key)), range(16)))

        assert len({job.id for job in jobs}) == 1
        assert kept.port.counts().queued == 1

    @pytest.mark.parametrize("text", ["", "ключ \ud800", "a\x00b", "k" * 100_000])
    def test_a_key_may_be_any_text(self, kept: KeptJobs, text: str) -> None:
        key = JobKey(uuid4(), text, "a fingerprint")

        assert kept.port.add(an_order(key=key)) == kept.port.add(an_order(key=key))

    def test_a_key_with_another_fingerprint_is_refused_and_changes_nothing(self, kept: KeptJobs) -> None:
        key = JobKey(uuid4(), "a key", "a fingerprint")
        first = kept.port.add(an_order(key=key))

        with pytest.raises(IdempotencyConflictError):
            kept.port.add(an_order(key=key._replace(fingerprint="another")))

        assert [lease.job.id for lease in kept.claim()] == [first.id]

    def test_a_job_whose_id_belongs_to_another_job_gets_another_one(self, kept: KeptJobs) -> None:
        first = kept.port.add(an_order())

        second = kept.port.add(an_order(job_id=first.id))

        assert second.id != first.id
        assert kept.job(first) == first
        assert kept.job(second).order.recording == second.order.recording

    def test_a_job_whose_id_belongs_to_an_event_gets_another_one(self, kept: KeptJobs) -> None:
        event = an_event()
        kept.outbox.add(event)

        job = kept.port.add(an_order(job_id=event.interaction_id))

        assert job.id != event.interaction_id
        assert kept.port.find(event.interaction_id) is None

    def test_a_job_that_was_never_added_is_not_found(self, kept: KeptJobs) -> None:
        assert kept.port.find(uuid4()) is None

    # pages

    def test_a_page_has_the_tenants_jobs_newest_first(self, kept: KeptJobs) -> None:
        tenant = uuid4()
        kept.port.add(an_order())
        jobs = []
        for _ in range(3):
            kept.clock.advance(1)
            jobs.append(kept.port.add(an_order(tenant_id=tenant)))

        page = kept.port.page(JobQuery(tenant))

        assert page.jobs == tuple(reversed(jobs))
        assert page.next is None

    def test_a_page_without_a_tenant_has_the_jobs_of_all(self, kept: KeptJobs) -> None:
        older = kept.port.add(an_order())
        kept.clock.advance(1)
        newer = kept.port.add(an_order())

        assert kept.port.page(JobQuery(None, limit=2)).jobs == (newer, older)

    def test_the_next_page_begins_behind_the_last_job(self, kept: KeptJobs) -> None:
        tenant = uuid4()
        jobs = {kept.port.add(an_order(tenant_id=tenant)).id for _ in range(5)}  # at the same moment

        first = kept.port.page(JobQuery(tenant, limit=2))
        second = kept.port.page(JobQuery(tenant, limit=2, behind=first.next))
        third = kept.port.page(JobQuery(tenant, limit=2, behind=second.next))

        found = [job.id for page in (first, second, third) for job in page.jobs]
        assert (len(found), set(found)) == (5, jobs)
        assert third.next is None

    def test_a_full_last_page_is_followed_by_none(self, kept: KeptJobs) -> None:
        tenant = uuid4()
        for _ in range(2):
            kept.port.add(an_order(tenant_id=tenant))

        assert kept.port.page(JobQuery(tenant, limit=2)).next is None

    def test_jobs_that_come_later_do_not_move_the_next_page(self, kept: KeptJobs) -> None:
        tenant = uuid4()
        old = []
        for _ in range(2):
            old.append(kept.port.add(an_order(tenant_id=tenant)))
            kept.clock.advance(1)
        first = kept.port.page(JobQuery(tenant, limit=1))
        kept.port.add(an_order(tenant_id=tenant))

        assert kept.port.page(JobQuery(tenant, behind=first.next)).jobs == (old[0],)

    @pytest.mark.parametrize("state", JobState)
    def test_a_page_may_be_of_one_state(self, kept: KeptJobs, state: JobState) -> None:
        tenant = uuid4()
        jobs = {
            each: kept.job_in(each, an_order(tenant_id=tenant))
            for each in (*FINAL, JobState.PROCESSING, JobState.QUEUED)
        }

        assert kept.port.page(JobQuery(tenant, state=state)).jobs == (jobs[state],)

    def test_a_page_may_be_of_a_time(self, kept: KeptJobs) -> None:
        tenant, times, jobs = uuid4(), [], []
        for _ in range(3):
            times.append(kept.now)
            jobs.append(kept.port.add(an_order(tenant_id=tenant)))
            kept.clock.advance(60)

        of_the_second = JobQuery(tenant, created_after=times[1], created_before=times[2])

        assert kept.port.page(of_the_second).jobs == (jobs[1],)

    def test_a_page_behind_a_deleted_job_is_the_same(self, kept: KeptJobs) -> None:
        tenant = uuid4()
        older = kept.port.add(an_order(tenant_id=tenant))
        kept.clock.advance(1)
        newer = kept.job_in(JobState.CANCELLED, an_order(tenant_id=tenant))
        cursor = JobCursor(newer.created_at.timestamp(), newer.id)
        kept.port.expired(1, jobs_keep_seconds=0, recordings_keep_seconds=0)

        assert [job.id for job in kept.port.page(JobQuery(tenant, behind=cursor)).jobs] == [older.id]

    # result, revisions, counts

    @pytest.mark.parametrize("text", AWKWARD_TEXTS, ids=range(len(AWKWARD_TEXTS)))
    def test_the_transcript_of_a_completed_job_comes_back(self, kept: KeptJobs, text: str) -> None:
        lease, result = kept.leased(), a_result(text, text.upper())

        kept.port.complete(lease, result, None)

        assert kept.port.result(lease.job.id) == result

    @pytest.mark.parametrize("state", [*WAITING, JobState.FAILED, JobState.CANCELLED])
    def test_no_other_job_has_a_transcript(self, kept: KeptJobs, state: JobState) -> None:
        assert kept.port.result(kept.job_in(state).id) is None

    def test_a_job_that_does_not_exist_has_no_transcript(self, kept: KeptJobs) -> None:
        assert kept.port.result(uuid4()) is None

    def test_the_revisions_of_existing_jobs_are_told_together(self, kept: KeptJobs) -> None:
        jobs = [kept.job_in(JobState.COMPLETED), kept.port.add(an_order())]

        revisions = kept.port.revisions([*(job.id for job in jobs), uuid4()])

        assert revisions == {job.id: job.revision for job in jobs}
        assert kept.port.revisions([]) == {}

    def test_each_change_that_callers_see_has_a_revision(self, kept: KeptJobs) -> None:
        job, port = kept.port.add(an_order()), kept.port
        revisions = [job.revision]
        lease = kept.claim_one()
        revisions.append(kept.job(job).revision)
        assert port.advance(lease, HALFWAY)
        revisions.append(kept.job(job).revision)
        assert port.postpone(lease, delay_seconds=0, problem=BUSY, is_failure=False)
        revisions.append(kept.job(job).revision)
        port.fail(kept.claim_one(), UNDECODABLE, None)
        revisions.append(kept.job(job).revision)
        port.retry(job.id, an_order(retry_of=job.id))
        revisions.append(kept.job(job).revision)

        assert revisions == sorted(set(revisions))
        assert kept.job(job).updated_at == kept.now

    def test_a_renewal_is_no_change_that_callers_see(self, kept: KeptJobs) -> None:
        lease = kept.leased()
        kept.clock.advance(10)

        kept.port.renew([lease], lease_seconds=LEASE_SECONDS)

        assert kept.job(lease.job) == lease.job

    def test_jobs_that_have_not_ended_are_counted(self, kept: KeptJobs) -> None:
        kept.port.add(an_order())
        kept.clock.advance(7)
        kept.port.add(an_order())
        kept.clock.advance(5)
        for state in (*FINAL, JobState.PROCESSING):
            kept.job_in(state)

        counts = kept.port.counts()

        assert counts[:2] == (2, 1)
        assert counts.oldest_queued_seconds == pytest.approx(12)

    def test_an_empty_store_counts_nothing(self, kept: KeptJobs) -> None:
        assert kept.port.counts() == (0, 0, 0.0)

    # claim

    def test_a_claimed_job_is_processing(self, kept: KeptJobs) -> None:
        job = kept.port.add(an_order())
        kept.clock.advance(3)

        lease = kept.claim_one()

        assert kept.port.find(job.id) == lease.job
        assert lease.job.order == job.order
        assert (lease.job.state, lease.job.progress.stage) == (JobState.PROCESSING, JobStage.FETCHING)
        assert (lease.job.started_at, lease.job.created_at) == (kept.now, job.created_at)
        assert lease.job.is_first_try

    def test_the_number_of_leases_is_limited(self, kept: KeptJobs) -> None:
        jobs = {kept.port.add(an_order()).id for _ in range(5)}

        first, rest = kept.claim(3), kept.claim(3)

        assert (len(first), len(rest)) == (3, 2)
        assert {lease.job.id for lease in first + rest} == jobs

    def test_a_job_that_is_not_due_is_not_claimed(self, kept: KeptJobs) -> None:
        kept.port.postpone(kept.leased(), delay_seconds=10, problem=BUSY, is_failure=False)

        kept.clock.advance(9)
        assert kept.claim() == ()
        kept.clock.advance(1)
        assert len(kept.claim()) == 1

    def test_a_leased_job_is_not_claimed_before_the_lease_expires(self, kept: KeptJobs) -> None:
        kept.leased()

        kept.clock.advance(LEASE_SECONDS - 1)
        assert kept.claim() == ()
        kept.clock.advance(1)
        assert len(kept.claim()) == 1

    @pytest.mark.parametrize("state", FINAL)
    def test_a_job_that_has_ended_is_never_claimed(self, kept: KeptJobs, state: JobState) -> None:
        kept.job_in(state)
        kept.clock.advance(1e6)

        assert kept.claim() == ()

    def test_concurrent_claims_share_no_job(self, kept: KeptJobs) -> None:
        jobs = {kept.port.add(an_order()).id for _ in range(24)}

        with ThreadPoolExecutor(8) as threads:
            leases = [lease for each in threads.map(kept.claim, [3] * 8) for lease in each]

        assert len(leases) == 24
        assert {lease.job.id for lease in leases} == jobs

    def test_jobs_of_named_queues_are_claimed(self, kept: KeptJobs) -> None:
        jobs = {queue: kept.port.add(an_order(queue=queue)).id for queue in ("a", "b", "c")}

        leases = kept.port.claim(["a", "c"], limit=10, lease_seconds=60)

        assert {lease.job.id for lease in leases} == {jobs["a"], jobs["c"]}

    def test_the_oldest_job_of_a_tenant_comes_first(self, kept: KeptJobs) -> None:
        tenant, jobs = uuid4(), []
        for _ in range(3):
            jobs.append(kept.port.add(an_order(tenant_id=tenant)).id)
            kept.clock.advance(1)

        assert [kept.claim_one().job.id for _ in jobs] == jobs

    def test_tenants_take_turns(self, kept: KeptJobs) -> None:
        many, few = uuid4(), uuid4()
        for tenant in (many, many, many, few, few):
            kept.port.add(an_order(tenant_id=tenant))
            kept.clock.advance(1)

        turns = [kept.claim_one().job.order.identity.tenant_id for _ in range(5)]

        assert turns == [many, few, many, few, many]

    def test_tenants_take_turns_in_one_claim(self, kept: KeptJobs) -> None:
        many, few = uuid4(), uuid4()
        for tenant in (many, many, many, few):
            kept.port.add(an_order(tenant_id=tenant))
            kept.clock.advance(1)

        assert {lease.job.order.identity.tenant_id for lease in kept.claim(2)} == {many, few}

    def test_a_tenant_has_no_more_leased_jobs_than_the_limit(self, kept: KeptJobs) -> None:
        tenant = uuid4()
        for _ in range(4):
            kept.port.add(an_order(tenant_id=tenant))
        other = kept.port.add(an_order())

        first = kept.claim(1, tenant_limit=2)
        second = kept.claim(10, tenant_limit=2)

        assert {lease.job.id for lease in first + second} >= {other.id}
        assert len(first + second) == 3
        assert kept.claim(10, tenant_limit=2) == ()
        assert len(kept.claim(10, tenant_limit=3)) == 1

    def test_a_dead_workers_jobs_do_not_count_against_the_limit(self, kept: KeptJobs) -> None:
        kept.leased(an_order(tenant_id=(tenant := uuid4())))
        kept.clock.advance(LEASE_SECONDS)
        kept.port.add(an_order(tenant_id=tenant))

        assert len(kept.claim(2, tenant_limit=2)) == 2

    def test_a_tenant_with_fewer_leased_jobs_gets_more_of_one_claim(self, kept: KeptJobs) -> None:
        busy, idle = uuid4(), uuid4()
        for tenant in (busy, busy, busy):
            kept.port.add(an_order(tenant_id=tenant))
        kept.claim(2)
        for tenant in (idle, idle, idle):
            kept.clock.advance(1)
            kept.port.add(an_order(tenant_id=tenant))

        turns = [{lease.job.order.identity.tenant_id for lease in kept.claim(2)} for _ in range(2)]

        assert turns == [{idle}, {busy, idle}]

    def test_an_expired_lease_is_a_failure(self, kept: KeptJobs) -> None:
        kept.port.add(an_order())
        failures = []
        for _ in range(4):
            failures.append(kept.claim_one().job.failures)
            kept.clock.advance(LEASE_SECONDS)

        assert failures == [0, 1, 2, 3]
        assert kept.claim_one().has_failed

    def test_a_job_that_is_claimed_again_at_the_same_moment_is_no_first_try(self, kept: KeptJobs) -> None:
        kept.port.postpone(kept.leased(), delay_seconds=0, problem=None, is_failure=False)

        assert not kept.claim_one().job.is_first_try

    def test_a_job_that_is_claimed_again_keeps_its_progress(self, kept: KeptJobs) -> None:
        lease = kept.leased()
        kept.port.advance(lease, HALFWAY)
        kept.clock.advance(LEASE_SECONDS)

        again = kept.claim_one()

        assert again.job.progress == JobProgress(JobStage.FETCHING, 30.0, 60.0, None)
        assert again.job.started_at == lease.job.started_at
        assert not again.job.is_first_try

    def test_a_token_is_stale_once_the_job_is_claimed_again(self, kept: KeptJobs) -> None:
        slow = kept.leased()
        kept.clock.advance(LEASE_SECONDS)
        quick = kept.claim_one()

        assert [change() for change in _changes(kept, slow)] == [False] * 6

        assert kept.job(slow.job) == quick.job
        assert kept.port.units(quick) == {}
        assert kept.events() == []
        assert kept.port.complete(quick, a_result(), completed(quick.job))

    def test_a_token_counts_after_its_lease_until_the_job_is_claimed_again(self, kept: KeptJobs) -> None:
        lease = kept.leased()
        kept.clock.advance(3600)

        assert kept.port.advance(lease, HALFWAY)
        assert kept.port.complete(lease, a_result(), completed(lease.job))

    # renew

    def test_a_renewed_lease_is_valid_for_longer(self, kept: KeptJobs) -> None:
        lease = kept.leased()
        kept.clock.advance(30)

        assert kept.port.renew([lease], lease_seconds=LEASE_SECONDS) == {lease.job.id}

        kept.clock.advance(LEASE_SECONDS - 1)
        assert kept.claim() == ()
        kept.clock.advance(1)
        assert len(kept.claim()) == 1

    def test_only_leases_that_are_valid_are_renewed(self, kept: KeptJobs) -> None:
        leases = [kept.leased() for _ in range(4)]
        kept.port.complete(leases[0], a_result(), None)
        kept.port.cancel(leases[1].job.id, UNDECODABLE, None)
        kept.port.postpone(leases[2], delay_seconds=0, problem=None, is_failure=False)
        gone = JobLease(replace(leases[3].job, order=an_order()), leases[3].token)

        assert kept.port.renew([*leases, gone], lease_seconds=60) == {leases[3].job.id}
        assert kept.port.renew([], lease_seconds=60) == frozenset()

    # advance and units

    def test_progress_is_recorded(self, kept: KeptJobs) -> None:
        lease = kept.leased()

        assert kept.port.advance(lease, HALFWAY)

        assert kept.job(lease.job).progress == HALFWAY

    def test_units_come_back_to_the_next_worker(self, kept: KeptJobs) -> None:
        lease = kept.leased()
        units = {"0f" * 32: '{"text": "größe 👩‍👩‍👧 \\u0000"}', "b": "x" * 100_000}
        kept.port.advance(lease, HALFWAY, units=units)
        kept.port.advance(lease, HALFWAY, units={"c": "{}"})
        kept.clock.advance(LEASE_SECONDS)

        assert kept.port.units(kept.claim_one()) == units | {"c": "{}"}

    def test_the_units_of_another_job_are_its_own(self, kept: KeptJobs) -> None:
        first, second = kept.leased(), kept.leased()
        kept.port.advance(first, HALFWAY, units={"a": "1"})
        kept.port.advance(second, HALFWAY, units={"a": "2"})

        assert (kept.port.units(first), kept.port.units(second)) == ({"a": "1"}, {"a": "2"})

    def test_a_unit_may_be_recorded_twice(self, kept: KeptJobs) -> None:
        lease = kept.leased()

        assert kept.port.advance(lease, HALFWAY, units={"a": "1"})
        assert kept.port.advance(lease, HALFWAY, units={"a": "1", "b": "2"})

        assert kept.port.units(lease) == {"a": "1", "b": "2"}

    def test_a_unit_ends_a_row_of_failures(self, kept: KeptJobs) -> None:
        kept.leased()
        kept.clock.advance(LEASE_SECONDS)
        lease = kept.claim_one()
        assert kept.port.advance(lease, HALFWAY)
        assert kept.job(lease.job).failures == 1

        kept.port.advance(lease, HALFWAY, units={"a": "{}"})

        assert kept.job(lease.job).failures == 0
        kept.clock.advance(LEASE_SECONDS)
        assert kept.claim_one().job.failures == 1

    # attach

    def test_a_fetched_recording_is_recorded(self, kept: KeptJobs) -> None:
        lease, recording = kept.leased(an_order(source_url="s3://bucket/a.wav")), a_recording()

        assert kept.port.attach(lease, recording)

        assert kept.job(lease.job).order == replace(lease.job.order, recording=recording)
        assert kept.port.known_recordings([recording.key]) == {recording.key}

    # postpone

    def test_a_postponed_job_is_queued_with_its_problem(self, kept: KeptJobs) -> None:
        lease = kept.leased()

        assert kept.port.postpone(lease, delay_seconds=5, problem=BUSY, is_failure=False)

        job = kept.job(lease.job)
        assert (job.state, job.problem, job.failures) == (JobState.QUEUED, BUSY, 0)
        assert (job.progress.stage, job.progress.eta_seconds, job.finished_at) == (None, None, None)

    def test_a_postponed_job_counts_the_tries_that_are_failures(self, kept: KeptJobs) -> None:
        lease, failures = kept.leased(), []
        for is_failure in (True, False, True):
            kept.port.postpone(lease, delay_seconds=0, problem=BUSY, is_failure=is_failure)
            lease = kept.claim_one()
            failures.append(lease.job.failures)

        assert failures == [1, 1, 2]

    def test_a_postponed_lease_has_ended(self, kept: KeptJobs) -> None:
        lease = kept.leased()
        kept.port.postpone(lease, delay_seconds=0, problem=None, is_failure=False)

        assert [change() for change in _changes(kept, lease)] == [False] * 6
        assert kept.claim_one().job.failures == 0

    def test_a_postponed_job_keeps_its_units_and_progress(self, kept: KeptJobs) -> None:
        lease = kept.leased()
        kept.port.advance(lease, HALFWAY, units={"a": "{}"})
        kept.port.postpone(lease, delay_seconds=0, problem=None, is_failure=False)

        again = kept.claim_one()

        assert kept.port.units(again) == {"a": "{}"}
        assert again.job.progress.done_seconds == HALFWAY.done_seconds

    # complete, fail, cancel

    def test_a_completed_job_has_its_transcript_and_its_event(self, kept: KeptJobs) -> None:
        lease, result = kept.leased(), a_result()
        kept.port.postpone(lease, delay_seconds=0, problem=BUSY, is_failure=False)
        lease, event = kept.claim_one(), completed(lease.job, result)
        kept.clock.advance(9)

        assert kept.port.complete(lease, result, event)

        job = kept.job(lease.job)
        assert (job.state, job.finished_at, job.problem) == (JobState.COMPLETED, kept.now, None)
        assert job.progress == JobProgress(None, 60.0, 60.0, None)
        assert (job.event_id, kept.events()) == (job.id, [event])

    def test_a_completed_job_has_no_units(self, kept: KeptJobs) -> None:
        lease = kept.leased()
        kept.port.advance(lease, HALFWAY, units={"a": "{}"})

        kept.port.complete(lease, a_result(), None)

        assert kept.port.units(lease) == {}

    def test_a_job_may_end_without_an_event(self, kept: KeptJobs) -> None:
        leases = [kept.leased() for _ in range(3)]

        assert kept.port.complete(leases[0], a_result(), None)
        assert kept.port.fail(leases[1], UNDECODABLE, None)
        assert kept.port.cancel(leases[2].job.id, UNDECODABLE, None)

        assert kept.events() == []
        assert {kept.job(lease.job).event_id for lease in leases} == {None}

    @pytest.mark.parametrize("state", FINAL)
    def test_the_event_gets_another_id_where_its_own_belongs_to_another_event(
        self, kept: KeptJobs, state: JobState
    ) -> None:
        lease = kept.leased()
        job, port = lease.job, kept.port
        other = an_event(interaction_id=job.id)
        kept.outbox.add(other)

        assert {
            JobState.COMPLETED: partial(port.complete, lease, a_result(), completed(job)),
            JobState.FAILED: partial(port.fail, lease, UNDECODABLE, failed(job)),
            JobState.CANCELLED: partial(port.cancel, job.id, UNDECODABLE, failed(job)),
        }[state]()

        ours = [event for event in kept.events() if event != other]
        assert [event.interaction_id for event in ours] == [kept.job(job).event_id]
        assert kept.job(job).event_id not in (None, job.id)
        assert kept.outbox.find(job.id)

    @pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
    def test_a_failed_job_has_its_problem_and_its_event(self, kept: KeptJobs, state: JobState) -> None:
        job = kept.job_in(state)

        assert (job.state, job.problem, job.finished_at) == (state, UNDECODABLE, kept.now)
        assert job.progress.stage is None
        assert kept.events() == [failed(job)]
        assert job.event_id == job.id

    @pytest.mark.parametrize("state", FINAL)
    @pytest.mark.parametrize("traceparent", [A_TRACEPARENT, None], ids=["traced", "untraced"])
    def test_the_event_has_the_trace_context_of_the_order(
        self, kept: KeptJobs, state: JobState, traceparent: str | None
    ) -> None:
        kept.job_in(state, an_order(traceparent=traceparent))

        (lease,) = kept.outbox.lease_due(10, lease_seconds=60)
        assert lease.traceparent == traceparent

    def test_a_queued_job_can_be_cancelled(self, kept: KeptJobs) -> None:
        job = kept.port.add(an_order())

        assert kept.port.cancel(job.id, UNDECODABLE, failed(job))

        assert kept.job(job).state is JobState.CANCELLED
        assert kept.claim() == ()

    def test_the_lease_of_a_cancelled_job_is_stale(self, kept: KeptJobs) -> None:
        lease = kept.leased()
        kept.port.cancel(lease.job.id, UNDECODABLE, None)

        assert [change() for change in _changes(kept, lease)] == [False] * 6

    def test_a_job_that_does_not_exist_cannot_be_cancelled(self, kept: KeptJobs) -> None:
        assert not kept.port.cancel(uuid4(), UNDECODABLE, None)

    # retry

    @pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
    def test_a_retry_is_a_new_job_with_recording_and_units(self, kept: KeptJobs, state: JobState) -> None:
        lease = kept.leased()
        kept.port.advance(lease, HALFWAY, units={"a": "{}"})
        if state is JobState.FAILED:
            kept.port.fail(lease, UNDECODABLE, None)
        else:
            kept.port.cancel(lease.job.id, UNDECODABLE, None)
        order = replace(lease.job.order, id=uuid4(), retry_of=lease.job.id)

        again = kept.port.retry(lease.job.id, order)

        assert again
        assert (again.order, again.state, again.failures) == (order, JobState.QUEUED, 0)
        old = kept.job(lease.job)
        assert (old.state, old.retried_as, old.order.recording) == (state, again.id, None)
        leased = kept.claim_one()
        assert kept.port.units(leased) == {"a": "{}"}
        assert not leased.job.is_first_try

    def test_a_second_retry_returns_the_same_job(self, kept: KeptJobs) -> None:
        job = kept.job_in(JobState.FAILED)

        retries = [kept.port.retry(job.id, replace(job.order, id=uuid4(), retry_of=job.id)) for _ in range(2)]

        assert retries[0] == retries[1]
        assert len(kept.claim()) == 1

    def test_concurrent_retries_add_one_job(self, kept: KeptJobs) -> None:
        job = kept.job_in(JobState.FAILED)

        def retry(_number: int) -> Job | None:
            return kept.port.retry(job.id, replace(job.order, id=uuid4(), retry_of=job.id))

        with ThreadPoolExecutor(4) as threads:
            retries = {again and again.id for again in threads.map(retry, range(8))}

        assert len(retries) == 1
        assert [lease.job.id for lease in kept.claim()] == list(retries)

    def test_a_retry_can_be_retried(self, kept: KeptJobs) -> None:
        job = kept.job_in(JobState.FAILED)
        second = kept.port.retry(job.id, replace(job.order, id=uuid4(), retry_of=job.id))
        assert second
        kept.port.fail(kept.claim_one(), UNDECODABLE, None)

        third = kept.port.retry(second.id, replace(second.order, id=uuid4(), retry_of=second.id))

        assert third
        assert third.order.recording == job.order.recording

    @pytest.mark.parametrize("state", [*WAITING, JobState.COMPLETED])
    def test_a_job_that_has_not_failed_is_not_retried(self, kept: KeptJobs, state: JobState) -> None:
        job = kept.job_in(state)

        assert kept.port.retry(job.id, replace(job.order, id=uuid4())) is None
        assert kept.job(job) == job
        assert kept.port.retry(uuid4(), an_order()) is None

    def test_a_job_without_its_recording_is_not_retried(self, kept: KeptJobs) -> None:
        job = kept.job_in(JobState.CANCELLED)
        kept.port.expired(10, jobs_keep_seconds=60, recordings_keep_seconds=0)

        assert kept.port.retry(job.id, replace(job.order, id=uuid4())) is None

    def test_a_retry_fetches_its_source_again_where_the_recording_is_gone(self, kept: KeptJobs) -> None:
        lease = kept.leased(an_order(source_url="https://example.com/a.wav"))
        kept.port.attach(lease, a_recording())
        job = kept.job(lease.job)
        kept.port.cancel(job.id, UNDECODABLE, None)
        kept.port.expired(10, jobs_keep_seconds=60, recordings_keep_seconds=0)

        again = kept.port.retry(job.id, replace(job.order, id=uuid4()))  # as it was read before

        assert again
        assert (again.order.recording, again.order.source_url) == (None, job.order.source_url)

    # expired

    def test_finished_jobs_are_deleted_once_their_time_is_over(self, kept: KeptJobs) -> None:
        waiting = [kept.port.add(an_order(queue="other"))]
        old = [kept.job_in(state) for state in FINAL]
        kept.clock.advance(2 * SECONDS_PER_DAY)
        new = kept.job_in(JobState.COMPLETED)
        kept.clock.advance(SECONDS_PER_DAY)

        gone = kept.port.expired(10, jobs_keep_seconds=2.5 * SECONDS_PER_DAY, recordings_keep_seconds=1e9)

        assert {each.id for each in gone} == {job.id for job in old}
        assert {each.recording_key for each in gone} == {
            job.order.recording and job.order.recording.key for job in old
        }
        assert [kept.port.find(job.id) for job in old] == [None] * 3
        assert [kept.job(job) for job in (*waiting, new)] == [*waiting, new]

    def test_recordings_of_completed_and_cancelled_jobs_are_forgotten(self, kept: KeptJobs) -> None:
        jobs = {state: kept.job_in(state) for state in FINAL}
        kept.clock.advance(10)

        gone = kept.port.expired(10, jobs_keep_seconds=60, recordings_keep_seconds=10)

        ended = [jobs[JobState.COMPLETED], jobs[JobState.CANCELLED]]
        assert {each.recording_key for each in gone} == {
            job.order.recording and job.order.recording.key for job in ended
        }
        assert [kept.job(job).order.recording for job in ended] == [None, None]
        assert kept.job(jobs[JobState.FAILED]) == jobs[JobState.FAILED]
        assert kept.port.result(jobs[JobState.COMPLETED].id)
        assert kept.port.expired(10, jobs_keep_seconds=60, recordings_keep_seconds=10) == ()

    def test_the_number_of_expired_jobs_is_limited(self, kept: KeptJobs) -> None:
        for _ in range(5):
            kept.job_in(JobState.COMPLETED)

        sweep = partial(kept.port.expired, 2, recordings_keep_seconds=0)

        assert [len(sweep(jobs_keep_seconds=60)) for _ in range(4)] == [2, 2, 1, 0]
        assert [len(sweep(jobs_keep_seconds=0)) for _ in range(4)] == [2, 2, 1, 0]

    # recordings and due jobs

    def test_recordings_that_a_job_has_are_known(self, kept: KeptJobs) -> None:
        recordings = [a_recording() for _ in range(3)]
        kept.port.add(an_order(recording=recordings[0]))
        kept.job_in(JobState.FAILED, an_order(recording=recordings[1]))

        known = kept.port.known_recordings([each.key for each in recordings])

        assert known == {recordings[0].key, recordings[1].key}
        assert kept.port.known_recordings([]) == frozenset()

    def test_due_jobs_are_told_with_their_queues(self, kept: KeptJobs) -> None:
        kept.job_in(JobState.COMPLETED)
        kept.leased()
        kept.port.postpone(kept.leased(), delay_seconds=MAX_WAIT_SECONDS, problem=BUSY, is_failure=False)
        due = []
        for queue in ("a", QUEUE):
            due.append((kept.port.add(an_order(queue=queue)).id, queue))
            kept.clock.advance(1)

        assert kept.port.due(10) == tuple(due)
        assert len(kept.port.due(1)) == 1
        kept.clock.advance(LEASE_SECONDS)
        assert len(kept.port.due(10)) == 3

    def test_the_time_of_a_job_is_the_stores(self, kept: KeptJobs) -> None:
        job = kept.port.add(an_order())
        kept.clock.advance(60)

        assert kept.claim_one().job.updated_at - job.created_at == timedelta(seconds=60)
