"""Removal of one interaction, in the caller's transaction: job, answers, event; and its tombstone."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, null, or_, select, update

from adapters.sql.schema.dialect import insert_into
from adapters.sql.schema.tables import (
    IS_FINISHED,
    IS_PENDING,
    IS_RENAMED,
    erasures,
    idempotency_keys,
    is_erased,
    job_units,
    jobs,
    outbox,
)
from domain.model.erasures import ErasedRows, Erasure, has_text, is_announced
from domain.model.errors import JobUnfinishedError
from domain.model.events.sent import StoredEvent, stored_event
from domain.model.identity import Interaction
from domain.model.jobs import JobState
from domain.model.outbox import OutboxState

Now = ColumnElement[float]


def erase(connection: Connection, interaction: Interaction, erasure: Erasure, now: Now) -> ErasedRows:
    """Erase the rows of an interaction.

    Raises:
        JobUnfinishedError: it is a job that has not ended.
    """
    job = _delete_job(connection, interaction.id)
    answers = _delete_answers(connection, interaction.id)
    row = connection.execute(_event_of(interaction.id)).one_or_none()
    event = _read(row)
    holds_text = row is not None and row.event is not None and (event is None or has_text(event))
    if not (job or answers or holds_text) and _has_tombstone(connection, interaction.id):
        _look_again(connection, interaction.id, now)
        return ErasedRows()
    had_transcript = holds_text or job is None or _had_transcript(job)
    announced = is_announced(event, had_transcript=had_transcript, erasure=erasure)
    _leave_tombstone(connection, interaction, erasure, job, row, now)
    if announced:
        _announce(connection, _completed(interaction, job, row, event), erasure, now)
    elif had_transcript and (holds_text or (row is not None and row.event is None)):
        connection.execute(delete(outbox).where(outbox.c.interaction_id == interaction.id))
    return ErasedRows(int(job is not None), int(holds_text), answers, announced)


def _delete_job(connection: Connection, interaction_id: UUID) -> "Row[*tuple[Any, ...]] | None":
    """Delete the job of an interaction, and its units."""
    own = and_(jobs.c.id == interaction_id, or_(jobs.c.event_id.is_(None), ~IS_RENAMED))
    of_interaction = or_(own, and_(jobs.c.event_id == interaction_id, IS_RENAMED))
    columns = (jobs.c.id, jobs.c.user_id, jobs.c.account_id, jobs.c.state, jobs.c.event_id)
    finished = delete(jobs).where(of_interaction, IS_FINISHED).returning(*columns, jobs.c.recording_key)
    row = connection.execute(finished).one_or_none()
    if row is None:
        _refuse_unfinished(connection, of_interaction)
        return None
    connection.execute(delete(job_units).where(job_units.c.job_id == row.id))
    return row


def _refuse_unfinished(connection: Connection, of_interaction: ColumnElement[bool]) -> None:
    state = connection.execute(select(jobs.c.state).where(of_interaction)).scalar()
    if state is not None:
        raise JobUnfinishedError(f"The job is {state}; cancel it first.")


def _delete_answers(connection: Connection, interaction_id: UUID) -> int:
    of_interaction = idempotency_keys.c.interaction_id == interaction_id
    return connection.execute(delete(idempotency_keys).where(of_interaction)).rowcount


def _event_of(interaction_id: UUID) -> Any:  # noqa: ANN401 - a SELECT of many columns
    columns = (outbox.c.state, outbox.c.token, outbox.c.lease_until, outbox.c.event, outbox.c.user_id)
    return select(*columns).where(outbox.c.interaction_id == interaction_id).with_for_update()


def _read(row: "Row[*tuple[Any, ...]] | None") -> StoredEvent | None:
    """Read the event of a row; None for one of a newer version, which may hold a text."""
    try:
        return stored_event(row.event) if row is not None and row.event is not None else None
    except ValidationError:
        return None


def _had_transcript(job: "Row[*tuple[Any, ...]]") -> bool:
    return job.state == JobState.COMPLETED.value and job.event_id is not None


def _has_tombstone(connection: Connection, interaction_id: UUID) -> bool:
    return bool(connection.execute(select(is_erased(interaction_id))).scalar())


def _look_again(connection: Connection, interaction_id: UUID, now: Now) -> None:
    """Have the objects deleted once more: one may have been written late, or restored from a backup."""
    own = and_(erasures.c.interaction_id == interaction_id, ~IS_PENDING)
    connection.execute(update(erasures).where(own).values(pending_until=now))


def _leave_tombstone(
    connection: Connection,
    interaction: Interaction,
    erasure: Erasure,
    job: "Row[*tuple[Any, ...]] | None",
    event: "Row[*tuple[Any, ...]] | None",
    now: Now,
) -> None:
    """Note what is left outside the database, and until when the holder of a lease may write there."""
    is_leased = event is not None and event.token is not None
    changes: dict[str, object] = {
        "requested_by": erasure.requested_by,
        "cause": erasure.cause.value,
        "erased_at": now,
        "pending_until": event.lease_until if event is not None and is_leased else now,
    }
    if job is not None and job.recording_key is not None:
        changes["recording_key"] = job.recording_key
    owner = {"interaction_id": interaction.id, "tenant_id": interaction.tenant_id}
    statement = insert_into(connection.dialect.name, erasures).values(owner | changes)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[erasures.c.interaction_id], set_=changes)
    )


def _completed(
    interaction: Interaction,
    job: "Row[*tuple[Any, ...]] | None",
    row: "Row[*tuple[Any, ...]] | None",
    event: StoredEvent | None,
) -> Interaction:
    """Complete the owner of an interaction from its job, or else from the row of its event and the event."""
    user = (job and job.user_id) or (row and row.user_id) or interaction.user_id
    owner = job if job is not None else event
    return interaction._replace(user_id=user, account_id=None if owner is None else owner.account_id)


def _announce(connection: Connection, interaction: Interaction, erasure: Erasure, now: Now) -> None:
    """Put the event of the erasure in place of the other one, whose leases are stale from then on."""
    at = datetime.fromtimestamp(connection.execute(select(now)).scalar_one(), UTC)
    event = erasure.event(interaction, at)
    values: dict[str, object] = {
        "state": OutboxState.WAITING.value,
        "added_at": now,
        "due_at": now,
        "lease_until": now,
        "token": null(),
        "attempts": 0,
        "settled_at": null(),
        "event_id": null(),
        "reason": null(),
        "event": event.to_json(),
        "traceparent": null(),
        "user_id": event.user_id,
    }
    owner = {"interaction_id": interaction.id, "tenant_id": interaction.tenant_id}
    statement = insert_into(connection.dialect.name, outbox).values(owner | values)
    connection.execute(statement.on_conflict_do_update(index_elements=[outbox.c.interaction_id], set_=values))
