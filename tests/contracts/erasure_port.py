"""Contract of every store of erasures: the sentences of `ErasurePort`'s docstrings.

A store binds the contract by subclassing it and providing the fixture `kept`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from domain.model.erasures import UNKNOWN_USER, ErasedRows, Erasure, ErasureQuery
from domain.model.errors import InteractionIdTakenError, JobStoreUnavailableError, JobUnfinishedError
from domain.model.events.erased import ErasureCause, TranscriptErased
from domain.model.events.failed import BatchProcessingFailed
from domain.model.events.sent import StoredEvent
from domain.model.idempotency import Answer, Reservation
from domain.model.identity import Interaction
from domain.model.jobs import Job, JobLease, JobOrder, JobState
from domain.model.outbox import OutboxRecord, OutboxState, Published, Rejected
from ports.erasure_port import ErasurePort
from ports.idempotency_port import IdempotencyPort
from ports.job_store_port import JobStorePort
from ports.outbox_port import OutboxPort
from tests.support.databases.databases import Clock
from tests.support.samples.factories import an_event
from tests.support.samples.jobs import HALFWAY, QUEUE, UNDECODABLE, a_result, an_order, completed, failed

BY_REQUEST = Erasure("alice", ErasureCause.REQUEST, announces=True)
QUIETLY = Erasure("alice", ErasureCause.REQUEST, announces=False)
TENANT = uuid4()
FINAL = [state for state in JobState if state.is_final]
SCOPE = uuid4()


@dataclass(frozen=True)
class KeptErasures:
    """A store of erasures, and the stores that it erases from."""

    port: ErasurePort
    jobs: JobStorePort
    outbox: OutboxPort
    idempotency: IdempotencyPort
    clock: Clock
    broken: Callable[[], ErasurePort] | None = None
    """A store that is unavailable; None if it cannot fail."""

    def leased(self, order: JobOrder | None = None) -> JobLease:
        """Add a job and lease it."""
        self.jobs.add(order or an_order(tenant_id=TENANT))
        (lease,) = self.jobs.claim([QUEUE], limit=1, lease_seconds=40)
        return lease

    def job_in(self, state: JobState, order: JobOrder | None = None) -> Job:
        """Add a job, and bring it into a final state, with its event."""
        lease = self.leased(order)
        if state is JobState.COMPLETED:
            assert self.jobs.complete(lease, a_result(), completed(lease.job))
        elif state is JobState.FAILED:
            assert self.jobs.fail(lease, UNDECODABLE, failed(lease.job))
        else:
            assert self.jobs.cancel(lease.job.id, UNDECODABLE, failed(lease.job))
        return self.job(lease.job.id)

    def job(self, job_id: UUID) -> Job:
        """Read a job that exists."""
        found = self.jobs.find(job_id)
        assert found
        return found

    def sent(self, event: StoredEvent | None = None) -> Interaction:
        """Add an event, and have it published."""
        event = event or an_event(tenant_id=TENANT)
        self.outbox.add(event)
        (lease,) = self.outbox.lease_due(1, lease_seconds=60)
        assert self.outbox.record([Published(lease, "event-1")]) == 1
        return Interaction(event.interaction_id, event.tenant_id, event.user_id)

    def reservation(self) -> Reservation:
        """Reserve a new idempotency key."""
        reservation = self.idempotency.begin(SCOPE, uuid4().hex, "recording", lease_seconds=60)
        assert isinstance(reservation, Reservation)
        return reservation

    def answered(self, interaction: Interaction) -> Reservation:
        """Store an answer of an interaction."""
        reservation = self.reservation()
        assert self.idempotency.finish(reservation, Answer("{}", interaction))
        return reservation

    def record(self, interaction_id: UUID) -> OutboxRecord:
        """Read an event that exists."""
        record = self.outbox.find(interaction_id)
        assert record
        return record

    def ids(self, query: ErasureQuery) -> set[UUID]:
        """Return the ids of the interactions that a query finds."""
        return {each.id for each in self.port.find(query, limit=1000)}


def interaction_of(job: Job | JobLease) -> Interaction:
    order = (job.job if isinstance(job, JobLease) else job).order
    return Interaction(order.id, order.identity.tenant_id, order.identity.user_id)


class ErasurePortContract:
    """Suite for the adapters of `ErasurePort`."""

    # find

    def test_an_interaction_is_found_once_although_several_stores_have_it(self, kept: KeptErasures) -> None:
        job = kept.job_in(JobState.COMPLETED)
        kept.answered(interaction_of(job))

        (found,) = kept.port.find(ErasureQuery(tenant_id=TENANT), limit=10)

        assert found == (job.id, TENANT, "user-7", None)

    def test_jobs_events_and_answers_are_found(self, kept: KeptErasures) -> None:
        job, sent = interaction_of(kept.leased()), kept.sent()
        answered = Interaction(uuid4(), TENANT, "user-7")
        kept.answered(answered)

        assert kept.ids(ErasureQuery(tenant_id=TENANT)) == {job.id, sent.id, answered.id}

    def test_interactions_are_chosen_by_id_tenant_user_and_time(self, kept: KeptErasures) -> None:
        old = [kept.job_in(JobState.COMPLETED).id, kept.sent().id]
        border = datetime.fromtimestamp(kept.clock(), UTC) + timedelta(hours=1)
        kept.clock.advance(2 * 3600)
        hers = kept.sent(an_event(tenant_id=TENANT, user_id="bob"))
        other = kept.sent(an_event(tenant_id=uuid4()))

        assert kept.ids(ErasureQuery(interaction_id=other.id)) == {other.id}
        assert kept.ids(ErasureQuery(interaction_id=other.id, tenant_id=TENANT)) == set()
        assert kept.ids(ErasureQuery(tenant_id=TENANT)) == {*old, hers.id}
        assert kept.ids(ErasureQuery(tenant_id=TENANT, user_id="bob")) == {hers.id}
        assert kept.ids(ErasureQuery(tenant_id=TENANT, before=border)) == set(old)

    def test_pages_follow_each_other_in_the_order_of_ids(self, kept: KeptErasures) -> None:
        ids = sorted(kept.sent().id for _ in range(5))
        query = ErasureQuery(tenant_id=TENANT)

        first = kept.port.find(query, limit=2)
        rest = kept.port.find(query, limit=9, behind=first[-1].id)

        assert [each.id for each in (*first, *rest)] == ids

    def test_running_jobs_and_unsent_events_are_left_out_on_request(self, kept: KeptErasures) -> None:
        kept.leased()
        unsent = kept.job_in(JobState.COMPLETED)
        kept.outbox.add(an_event(tenant_id=TENANT))
        rejected = an_event(tenant_id=TENANT)
        kept.outbox.record([Rejected(kept.outbox.add(rejected, lease_seconds=60), "too large")])
        query = ErasureQuery(tenant_id=TENANT, only_settled=True)
        assert kept.ids(query) == set()

        for lease in kept.outbox.lease_due(10, lease_seconds=60):
            kept.outbox.record([Published(lease, "event-1")])

        assert unsent.id in kept.ids(query)
        assert len(kept.ids(query)) == 2

    def test_an_erased_interaction_is_not_found_again(self, kept: KeptErasures) -> None:
        job, sent = kept.job_in(JobState.COMPLETED), kept.sent()
        for each in (interaction_of(job), sent):
            kept.port.erase(each, BY_REQUEST)

        assert kept.ids(ErasureQuery(tenant_id=TENANT)) == set()
        assert kept.ids(ErasureQuery(interaction_id=job.id)) == {job.id}

    # erase

    @pytest.mark.parametrize("state", FINAL)
    def test_a_finished_job_is_erased_with_its_transcript(self, kept: KeptErasures, state: JobState) -> None:
        job = kept.job_in(state)

        rows = kept.port.erase(interaction_of(job), BY_REQUEST)

        assert rows.jobs == 1
        assert kept.jobs.find(job.id) is None
        assert kept.jobs.result(job.id) is None

    def test_the_units_and_the_key_of_an_erased_job_are_gone(self, kept: KeptErasures) -> None:
        lease = kept.leased()
        kept.jobs.advance(lease, HALFWAY, units={"a": "{}"})
        kept.jobs.fail(lease, UNDECODABLE, None)

        kept.port.erase(interaction_of(lease), BY_REQUEST)

        assert kept.jobs.units(lease) == {}

    @pytest.mark.parametrize("is_leased", [False, True])
    def test_a_job_that_has_not_ended_is_not_erased(self, kept: KeptErasures, *, is_leased: bool) -> None:
        order = an_order(tenant_id=TENANT)
        job = kept.leased(order).job if is_leased else kept.jobs.add(order)

        with pytest.raises(JobUnfinishedError, match="cancel it first"):
            kept.port.erase(interaction_of(job), BY_REQUEST)

        assert kept.job(job.id) == job
        assert kept.port.erased([job.id]) == frozenset()

    def test_consumers_of_a_published_transcript_learn_of_its_erasure(self, kept: KeptErasures) -> None:
        job = kept.job_in(JobState.COMPLETED)
        (lease,) = kept.outbox.lease_due(1, lease_seconds=60)
        kept.outbox.record([Published(lease, "event-1")])

        rows = kept.port.erase(interaction_of(job), BY_REQUEST)

        assert rows == ErasedRows(jobs=1, events=0, answers=0, announced=True)
        (lease,) = kept.outbox.lease_due(5, lease_seconds=60)
        assert isinstance(lease.event, TranscriptErased)
        assert (lease.event.tenant_id, lease.event.user_id) == (TENANT, "user-7")
        assert (lease.event.account_id, lease.event.data.requested_by) == ("account-9", "alice")

    def test_a_waiting_event_is_withdrawn(self, kept: KeptErasures) -> None:
        event = an_event(tenant_id=TENANT)
        kept.outbox.add(event)

        rows = kept.port.erase(Interaction(event.interaction_id, TENANT), QUIETLY)

        assert rows == ErasedRows(events=1)
        assert kept.outbox.find(event.interaction_id) is None
        assert kept.outbox.counts().waiting == 0

    def test_a_relay_that_had_leased_the_event_changes_nothing(self, kept: KeptErasures) -> None:
        event = an_event(tenant_id=TENANT)
        kept.outbox.add(event)
        (early,) = kept.outbox.lease_due(1, lease_seconds=60)

        kept.port.erase(Interaction(event.interaction_id, TENANT), BY_REQUEST)

        assert kept.outbox.record([Published(early, "event-1")]) == 0
        assert kept.record(event.interaction_id).state is OutboxState.WAITING
        (late,) = kept.outbox.lease_due(1, lease_seconds=60)
        assert isinstance(late.event, TranscriptErased)
        assert late.attempts == 0

    def test_no_event_is_stored_under_an_erased_id(self, kept: KeptErasures) -> None:
        event = an_event(tenant_id=TENANT)
        kept.port.erase(Interaction(event.interaction_id, TENANT), QUIETLY)

        with pytest.raises(InteractionIdTakenError, match="erased"):
            kept.outbox.add(event)

    def test_no_job_gets_an_erased_id(self, kept: KeptErasures) -> None:
        job = kept.job_in(JobState.COMPLETED)
        kept.port.erase(interaction_of(job), QUIETLY)

        assert kept.jobs.add(an_order(job_id=job.id)).id != job.id

    def test_a_late_worker_changes_nothing(self, kept: KeptErasures) -> None:
        lease = kept.leased()
        kept.jobs.cancel(lease.job.id, UNDECODABLE, failed(lease.job))
        kept.port.erase(interaction_of(lease), QUIETLY)

        assert not kept.jobs.complete(lease, a_result(), completed(lease.job))
        assert not kept.jobs.advance(lease, HALFWAY, units={"a": "{}"})
        assert kept.jobs.renew([lease], lease_seconds=40) == frozenset()
        assert kept.jobs.find(lease.job.id) is None
        assert kept.jobs.units(lease) == {}

    @pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
    def test_a_job_without_a_transcript_keeps_its_one_terminal_event(
        self, kept: KeptErasures, state: JobState
    ) -> None:
        job = kept.job_in(state)

        rows = kept.port.erase(interaction_of(job), BY_REQUEST)

        assert not rows.announced
        assert isinstance(kept.record(job.id).event, BatchProcessingFailed)

    def test_an_event_that_has_another_id_than_its_job_is_erased_with_it(self, kept: KeptErasures) -> None:
        lease = kept.leased()
        strange = an_event(interaction_id=lease.job.id)
        kept.outbox.add(strange)
        kept.jobs.complete(lease, a_result(), completed(lease.job))
        event_id = kept.job(lease.job.id).event_id
        assert event_id not in {None, lease.job.id}

        (found,) = kept.port.find(ErasureQuery(tenant_id=TENANT), limit=10)
        kept.port.erase(found, QUIETLY)

        assert found.id == event_id
        assert kept.jobs.find(lease.job.id) is None
        assert kept.outbox.find(found.id) is None
        assert kept.record(lease.job.id).event == strange

    def test_the_answer_to_an_idempotency_key_is_erased(self, kept: KeptErasures) -> None:
        interaction = kept.sent()
        reservation = kept.answered(interaction)

        rows = kept.port.erase(interaction, QUIETLY)

        assert rows.answers == 1
        again = kept.idempotency.begin(SCOPE, reservation.key, "recording", lease_seconds=60)
        assert isinstance(again, Reservation)

    def test_no_answer_of_an_erased_interaction_is_stored(self, kept: KeptErasures) -> None:
        interaction, reservation = kept.sent(), kept.reservation()

        kept.port.erase(interaction, QUIETLY)

        assert not kept.idempotency.finish(reservation, Answer("{}", interaction))

    def test_an_erasure_that_is_repeated_changes_nothing(self, kept: KeptErasures) -> None:
        interaction = kept.sent()
        assert kept.port.erase(interaction, BY_REQUEST).announced
        before = kept.record(interaction.id)
        kept.clock.advance(60)

        assert kept.port.erase(interaction, BY_REQUEST) == ErasedRows()
        assert kept.record(interaction.id) == before

    def test_the_user_of_an_event_that_no_store_knows_is_unknown(self, kept: KeptErasures) -> None:
        interaction = Interaction(uuid4(), TENANT)

        kept.port.erase(interaction, BY_REQUEST)

        event = kept.record(interaction.id).event
        assert event
        assert event.user_id == UNKNOWN_USER

    def test_other_interactions_stay(self, kept: KeptErasures) -> None:
        job, sent = kept.job_in(JobState.COMPLETED), kept.sent()
        kept.answered(sent)

        kept.port.erase(Interaction(uuid4(), TENANT, "user-7"), QUIETLY)

        assert kept.job(job.id) == job
        assert kept.ids(ErasureQuery(tenant_id=TENANT)) == {job.id, sent.id}

    @pytest.mark.parametrize("call", range(4))
    def test_a_job_that_ends_while_it_is_cancelled_and_erased_ends_once(
        self, kept: KeptErasures, call: int
    ) -> None:
        lease = kept.leased()
        interaction = interaction_of(lease)

        def cancelled_and_erased() -> None:
            kept.jobs.cancel(lease.job.id, UNDECODABLE, failed(lease.job))
            kept.port.erase(interaction, BY_REQUEST)

        racing: list[Callable[[], object]] = [
            cancelled_and_erased,
            partial(kept.jobs.complete, lease, a_result(), completed(lease.job)),
            partial(kept.jobs.fail, lease, UNDECODABLE, failed(lease.job)),
        ]
        with ThreadPoolExecutor(len(racing)) as threads:
            for each in [threads.submit(racing[(call + place) % 3]) for place in range(3)]:
                each.result()

        assert kept.jobs.find(lease.job.id) is None
        (record,) = kept.outbox.records()
        assert record.interaction_id == lease.job.id
        assert isinstance(record.event, TranscriptErased | BatchProcessingFailed)

    # pending, finish

    def test_the_objects_of_an_erased_interaction_are_pending_until_they_are_deleted(
        self, kept: KeptErasures
    ) -> None:
        job, sent = kept.job_in(JobState.COMPLETED), kept.sent()
        for each in (interaction_of(job), sent):
            kept.port.erase(each, QUIETLY)
        recording = job.order.recording

        both = kept.port.pending(10)

        assert sorted(both) == list(both)
        assert {each.interaction_id: each.recording_key for each in both} == {
            job.id: recording and recording.key,
            sent.id: None,
        }
        assert kept.port.pending(10, behind=both[0].interaction_id) == both[1:]
        assert kept.port.finish(job.id)
        (left,) = kept.port.pending(10)
        assert left == (sent.id, TENANT, None)
        assert kept.port.pending(10, interaction_id=job.id) == ()

    def test_objects_stay_pending_while_a_relay_may_write_one(self, kept: KeptErasures) -> None:
        event = an_event(tenant_id=TENANT)
        kept.outbox.add(event)
        kept.outbox.lease_due(1, lease_seconds=60)

        kept.port.erase(Interaction(event.interaction_id, TENANT), BY_REQUEST)

        assert not kept.port.finish(event.interaction_id)
        assert len(kept.port.pending(10)) == 1
        kept.clock.advance(61)
        assert kept.port.finish(event.interaction_id)
        assert kept.port.pending(10) == ()

    def test_a_repeated_erasure_does_not_forget_the_recording(self, kept: KeptErasures) -> None:
        job = kept.job_in(JobState.COMPLETED)
        for _ in range(2):
            kept.port.erase(interaction_of(job), QUIETLY)

        (pending,) = kept.port.pending(10)

        assert job.order.recording
        assert pending.recording_key == job.order.recording.key

    def test_a_repeated_erasure_has_the_objects_looked_for_again(self, kept: KeptErasures) -> None:
        interaction = kept.sent()
        kept.port.erase(interaction, QUIETLY)
        assert kept.port.finish(interaction.id)

        kept.port.erase(interaction, QUIETLY)

        assert kept.port.pending(10) == ((interaction.id, TENANT, None),)
        assert kept.port.finish(interaction.id)
        assert kept.port.pending(10) == ()

    # erased, scrub, failures

    def test_erased_ids_are_told_from_others(self, kept: KeptErasures) -> None:
        assert kept.port.is_empty()
        interaction = kept.sent()
        kept.port.erase(interaction, QUIETLY)

        assert kept.port.erased([interaction.id, uuid4()]) == {interaction.id}
        assert kept.port.erased([]) == frozenset()
        assert not kept.port.is_empty()

    def test_the_files_are_scrubbed(self, kept: KeptErasures) -> None:
        assert kept.port.scrub()

    def test_a_store_that_is_unavailable_says_so(self, kept: KeptErasures) -> None:
        if kept.broken is None:
            pytest.skip("this store cannot be unavailable")
        port, interaction = kept.broken(), Interaction(uuid4(), TENANT)
        calls: list[Callable[[], object]] = [
            lambda: port.find(ErasureQuery(), limit=1),
            lambda: port.erase(interaction, QUIETLY),
            lambda: port.pending(1),
            lambda: port.finish(interaction.id),
            lambda: port.erased([interaction.id]),
        ]

        for call in calls:
            with pytest.raises(JobStoreUnavailableError):
                call()
