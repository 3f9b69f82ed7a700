"""Erasures in this process."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from adapters.in_memory.idempotency import InMemoryIdempotency
from adapters.in_memory.jobs import InMemoryJobs
from adapters.in_memory.outbox import InMemoryOutbox
from domain.model.erasures import ErasedRows, Erasure, ErasureQuery, PendingObjects, has_text, is_announced
from domain.model.errors import JobUnfinishedError
from domain.model.identity import Interaction
from domain.model.jobs import Job, JobState
from domain.model.outbox import OutboxState
from ports.erasure_port import ErasurePort


@dataclass
class _Tombstone:
    tenant_id: UUID
    recording_key: str | None
    pending_until: float | None


class InMemoryErasures(ErasurePort):
    """Erases from the other stores of this process; tombstones are kept until it ends.

    The clock counts seconds since 1970.
    """

    def __init__(
        self,
        jobs: InMemoryJobs,
        outbox: InMemoryOutbox,
        idempotency: InMemoryIdempotency,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._jobs = jobs
        self._outbox = outbox
        self._idempotency = idempotency
        self._clock = clock
        self._tombstones: dict[UUID, _Tombstone] = {}

    def find(
        self, query: ErasureQuery, /, *, limit: int, behind: UUID | None = None
    ) -> tuple[Interaction, ...]:
        """Look through all stores."""
        found: dict[UUID, Interaction] = {}
        for each, accepted_at in (*self._of_jobs(query), *self._of_events(query), *self._of_answers(query)):
            if _is_asked_for(each, accepted_at, query) and (behind is None or each.id > behind):
                found[each.id] = found.get(each.id, each)
        return tuple(found[key] for key in sorted(found)[:limit])

    def erase(self, interaction: Interaction, erasure: Erasure, /) -> ErasedRows:
        """Drop what the other stores have."""
        job = self._job(interaction.id)
        if job is not None and not job.state.is_final:
            raise JobUnfinishedError(f"The job is {job.state}; cancel it first.")
        record = self._outbox.find(interaction.id)
        event = None if record is None else record.event
        answers = self._idempotency.erase(interaction.id)
        tombstone = self._tombstones.get(interaction.id)
        if tombstone is not None and not (job or answers or has_text(event)):
            # its objects are looked for again
            tombstone.pending_until = tombstone.pending_until or self._clock()
            return ErasedRows()
        key = self._drop_job(job)
        had_transcript = has_text(event) or job is None or _had_transcript(job)
        announced = is_announced(event, had_transcript=had_transcript, erasure=erasure)
        now = datetime.fromtimestamp(self._clock(), UTC)
        until = self._outbox.erase(
            interaction.id,
            erasure.event(_completed(interaction, job), now) if announced else None,
            drops=had_transcript and (event is None or has_text(event)),
        )
        self._bury(interaction, key, max(until, self._clock()))
        return ErasedRows(int(job is not None), int(has_text(event)), answers, announced)

    def pending(
        self, limit: int, /, *, interaction_id: UUID | None = None, behind: UUID | None = None
    ) -> tuple[PendingObjects, ...]:
        """Look through the tombstones."""
        found = [
            PendingObjects(key, each.tenant_id, each.recording_key)
            for key, each in sorted(self._tombstones.items())
            if each.pending_until is not None
            and interaction_id in {None, key}
            and (behind is None or key > behind)
        ]
        return tuple(found[:limit])

    def finish(self, interaction_id: UUID, /) -> bool:
        """Change the tombstone."""
        tombstone = self._tombstones.get(interaction_id)
        if tombstone is None or tombstone.pending_until is None:
            return True
        if tombstone.pending_until > self._clock():
            return False
        tombstone.pending_until = tombstone.recording_key = None
        return True

    def erased(self, interaction_ids: Sequence[UUID], /) -> frozenset[UUID]:
        """Look the ids up."""
        return frozenset(interaction_ids) & self._tombstones.keys()

    def is_empty(self) -> bool:
        """Count the tombstones."""
        return not self._tombstones

    def scrub(self) -> bool:
        """Do nothing: there is no file."""
        return True

    def _job(self, interaction_id: UUID) -> Job | None:
        return next((job for job in self._jobs.all() if _interaction_of(job).id == interaction_id), None)

    def _bury(self, interaction: Interaction, recording_key: str | None, until: float) -> None:
        old = self._tombstones.get(interaction.id)
        key = recording_key or (None if old is None else old.recording_key)
        self._tombstones[interaction.id] = _Tombstone(interaction.tenant_id, key, until)

    def _drop_job(self, job: Job | None) -> str | None:
        if job is None:
            return None
        erased = self._jobs.erase(job.id)
        return erased and erased.recording_key

    def _of_jobs(self, query: ErasureQuery) -> Iterator[tuple[Interaction, datetime]]:
        for job in self._jobs.all():
            interaction = _interaction_of(job)
            record = self._outbox.find(interaction.id)
            is_settled = job.state.is_final and (record is None or record.state is OutboxState.PUBLISHED)
            if is_settled or not query.only_settled:
                yield interaction, job.created_at

    def _of_events(self, query: ErasureQuery) -> Iterator[tuple[Interaction, datetime]]:
        for record, user_id in self._outbox.owners():
            is_known = record.interaction_id in self._tombstones and query.interaction_id is None
            if not is_known and (record.state is OutboxState.PUBLISHED or not query.only_settled):
                yield Interaction(record.interaction_id, record.tenant_id, user_id), record.added_at

    def _of_answers(self, query: ErasureQuery) -> Iterator[tuple[Interaction, datetime]]:
        if not query.only_settled:
            yield from self._idempotency.answered()


def _interaction_of(job: Job) -> Interaction:
    identity = job.order.identity
    return Interaction(job.event_id or job.id, identity.tenant_id, identity.user_id)


def _had_transcript(job: Job) -> bool:
    return job.state is JobState.COMPLETED and job.event_id is not None


def _completed(interaction: Interaction, job: Job | None) -> Interaction:
    if job is None:
        return interaction
    identity = job.order.identity
    return interaction._replace(user_id=identity.user_id, account_id=identity.account_id)


def _is_asked_for(interaction: Interaction, accepted_at: datetime, query: ErasureQuery) -> bool:
    return (
        query.interaction_id in {None, interaction.id}
        and query.tenant_id in {None, interaction.tenant_id}
        and query.user_id in {None, interaction.user_id}
        and (query.before is None or accepted_at < query.before)
    )
