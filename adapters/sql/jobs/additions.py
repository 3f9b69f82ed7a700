"""New jobs: by an order, by an order with a known idempotency key, and as a retry of another job."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, exists, null, or_, select, update

from adapters.sql.jobs import statements
from adapters.sql.jobs.rows import COLUMNS, Parameters, job_from, key_hash, new_row, recording_values
from adapters.sql.schema.dialect import insert_into
from adapters.sql.schema.tables import is_erased, job_units, jobs, outbox
from domain.model.errors import IdempotencyConflictError
from domain.model.jobs import Job, JobOrder, JobState

_ROW = jobs.c
_RETRYABLE = [JobState.FAILED.value, JobState.CANCELLED.value]


class NewJob(NamedTuple):
    """An order, and the values of its row."""

    order: JobOrder
    row: Parameters

    def with_new_id(self) -> "NewJob":
        """Return the same order with another id."""
        order = replace(self.order, id=uuid4())
        return NewJob(order, self.row | {"id": order.id})


Added = Job | IdempotencyConflictError


def add_all(connection: Connection, new: Sequence[NewJob], now: ColumnElement[float]) -> list[Added]:
    """Insert orders, and return the job or the error of each; the write may be repeated."""
    return [_add(connection, each, now) for each in new]


def _add(connection: Connection, new: NewJob, now: ColumnElement[float]) -> Added:
    """Insert the order, or return the job of its key, or the one that it has become already."""
    if known := _known(connection, new.order):
        return known
    if _is_taken(connection, new.order.id):
        return _again(connection, new, now)
    if (added := _insert(connection, new.row, now)) is not None:
        return added
    return _known(connection, new.order) or _again(connection, new, now)


def _again(connection: Connection, new: NewJob, now: ColumnElement[float]) -> Added:
    """Return the job that the order became before a COMMIT without an answer, or add it with another id."""
    job = _by_id(connection, new.order.id)
    if job is not None and _is_same(job, new.order):
        return job
    return _add(connection, new.with_new_id(), now)


def _is_same(job: Job, order: JobOrder) -> bool:
    """Compare what no two submissions share: the key of an upload's recording, or all of another's order.

    An order of a URL that has ended cannot be one whose answer is awaited still.
    """
    order = replace(order, identity=replace(order.identity, replaced_tenant=None), key=None)
    if order.source_url is None:
        return (job.order.recording, job.order.identity) == (order.recording, order.identity)
    return not job.state.is_final and replace(job.order, recording=None, key=None) == order


def retry(connection: Connection, job_id: UUID, order: JobOrder, now: ColumnElement[float]) -> Job | None:
    """Insert the order and move recording and units to it, unless the job is retried already."""
    row = connection.execute(select(*COLUMNS).where(_ROW.id == job_id).with_for_update()).one_or_none()
    if row is None or row.state not in _RETRYABLE:
        return None
    if row.retried_as is not None:
        return _by_id(connection, row.retried_as)
    old = job_from(row)
    if old.order.recording is None and old.order.source_url is None:
        return None
    order = replace(order, recording=old.order.recording, key=None)
    again = _add(connection, NewJob(order, new_row(order)), now)
    if isinstance(again, IdempotencyConflictError):
        raise again
    values = {"retried_as": again.id, **recording_values(None), **statements.seen(now)}
    connection.execute(update(jobs).where(_ROW.id == job_id).values(values))
    connection.execute(update(job_units).where(job_units.c.job_id == job_id).values(job_id=again.id))
    return again


def _by_id(connection: Connection, job_id: UUID) -> Job | None:
    row = connection.execute(select(*COLUMNS).where(_ROW.id == job_id)).one_or_none()
    return None if row is None else job_from(row)


def _known(connection: Connection, order: JobOrder) -> Added | None:
    """Find the job of the order's key, if it has one."""
    if (key := order.key) is None:
        return None
    parameters = {"scope": key.scope, "hash": key_hash(key)}
    row = connection.execute(statements.by_key(), parameters).one_or_none()
    if row is None or row.fingerprint == key.fingerprint:
        return row and job_from(row)
    return IdempotencyConflictError(
        "This idempotency key was used with another recording, account or parameter."
    )


def _is_taken(connection: Connection, job_id: UUID) -> bool:
    """Check for an event or a tombstone with the id; `_insert` notices a job with it."""
    has_event = exists().where(outbox.c.interaction_id == job_id)
    return bool(connection.execute(select(or_(has_event, is_erased(job_id)))).scalar())


def _insert(connection: Connection, values: Parameters, now: ColumnElement[float]) -> Job | None:
    times: Parameters = dict.fromkeys(("created_at", "updated_at", "due_at", "lease_until"), now)
    statement = insert_into(connection.dialect.name, jobs).values(**values, **times, result=null())
    row = connection.execute(statement.on_conflict_do_nothing().returning(*COLUMNS)).one_or_none()
    return None if row is None else job_from(row)
