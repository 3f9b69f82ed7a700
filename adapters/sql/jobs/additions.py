"""New jobs: by an order, by an order with a known idempotency key, and as a retry of another job."""

from dataclasses import replace
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, exists, null, select, update

from adapters.sql.jobs import statements
from adapters.sql.jobs.rows import COLUMNS, Parameters, job_from, key_hash, new_row, recording_values
from adapters.sql.schema.dialect import insert_into
from adapters.sql.schema.tables import job_units, jobs, outbox
from domain.model.errors import IdempotencyConflictError
from domain.model.jobs import Job, JobKey, JobOrder, JobState

_ROW = jobs.c
_RETRYABLE = [JobState.FAILED.value, JobState.CANCELLED.value]


def add(connection: Connection, order: JobOrder, now: ColumnElement[float]) -> Job:
    """Insert the order, or return the job of its key.

    Raises:
        IdempotencyConflictError: the key belongs to another order.
    """
    if order.key is not None and (known := _by_key(connection, order.key)):
        return known
    if _is_taken(connection, order.id):
        order = replace(order, id=uuid4())
    if (added := _insert(connection, order, now)) is not None:
        return added
    if order.key is not None and (known := _by_key(connection, order.key)):
        return known  # of a submission at the same time
    return add(connection, replace(order, id=uuid4()), now)


def retry(connection: Connection, job_id: UUID, order: JobOrder, now: ColumnElement[float]) -> Job | None:
    """Insert the order and move recording and units to it, unless the job is retried already."""
    may_be_retried = _ROW.state.in_(_RETRYABLE) & _ROW.retried_as.is_(None)
    has_source = _ROW.recording_key.is_not(None) | _ROW.source_url.is_not(None)
    moved = update(jobs).where(_ROW.id == job_id, may_be_retried, has_source)
    values = {"retried_as": order.id, **recording_values(None), **statements.seen(now)}
    if connection.execute(moved.values(values)).rowcount:
        connection.execute(update(job_units).where(job_units.c.job_id == job_id).values(job_id=order.id))
        return add(connection, order, now)
    retried_as = select(_ROW.retried_as).where(_ROW.id == job_id).scalar_subquery()
    row = connection.execute(select(*COLUMNS).where(_ROW.id == retried_as)).one_or_none()
    return None if row is None else job_from(row)


def _by_key(connection: Connection, key: JobKey) -> Job | None:
    parameters = {"scope": key.scope, "hash": key_hash(key)}
    row = connection.execute(statements.by_key(), parameters).one_or_none()
    if row is None:
        return None
    if row.fingerprint != key.fingerprint:
        raise IdempotencyConflictError(
            "This idempotency key was used with another recording, account or parameter."
        )
    return job_from(row)


def _is_taken(connection: Connection, job_id: UUID) -> bool:
    """Check for an event with the id; `_insert` notices a job with it."""
    has_event = exists().where(outbox.c.interaction_id == job_id)
    return bool(connection.execute(select(has_event)).scalar())


def _insert(connection: Connection, order: JobOrder, now: ColumnElement[float]) -> Job | None:
    times: Parameters = dict.fromkeys(("created_at", "updated_at", "due_at", "lease_until"), now)
    statement = insert_into(connection.dialect.name, jobs).values(**new_row(order), **times, result=null())
    row = connection.execute(statement.on_conflict_do_nothing().returning(*COLUMNS)).one_or_none()
    return None if row is None else job_from(row)
