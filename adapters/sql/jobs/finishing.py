"""Ends of jobs: state, transcript or problem, and the event, in the caller's transaction."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Update, delete, update

from adapters.sql.jobs import statements
from adapters.sql.jobs.rows import Parameters
from adapters.sql.outbox import statements as outbox_statements
from adapters.sql.outbox.rows import new_row
from adapters.sql.schema.tables import IS_ACTIVE, job_units, jobs
from domain.model.events.event import BatchProcessingCompleted
from domain.model.events.failed import BatchProcessingFailed, FailureData
from domain.model.events.sent import TerminalEvent
from domain.model.jobs import JobLease, JobState
from domain.model.outbox import EventLease


class Completion(NamedTuple):
    """A leased job that ends with its transcript."""

    lease: JobLease
    result: str  # JSON
    seconds: float  # of sound
    event: BatchProcessingCompleted | None


def complete_all(
    connection: Connection, completions: Sequence[Completion], now: ColumnElement[float]
) -> list[bool]:
    """End leased jobs, in the order of their ids, so that two transactions rarely block each other."""
    by_id = sorted(completions, key=lambda each: each.lease.job.id.int)
    ended = {id(each): _complete(connection, each, now) for each in by_id}
    return [ended[id(each)] for each in completions]


def _complete(connection: Connection, completion: Completion, now: ColumnElement[float]) -> bool:
    """End a leased job with its transcript, and drop its units."""
    lease, result, seconds, event = completion
    values = statements.end(now, JobState.COMPLETED) | {"result": result, "problem": None}
    finished = statements.of_lease().values(done_seconds=seconds, total_seconds=seconds, **values)
    if (ended := _end(connection, finished, lease_parameters(lease))) is None:
        return False
    connection.execute(delete(job_units).where(job_units.c.job_id == lease.job.id))
    _announce(connection, ended, event, now)
    return True


def fail(
    connection: Connection,
    lease: JobLease,
    problem: FailureData,
    event: BatchProcessingFailed | None,
    now: ColumnElement[float],
) -> bool:
    """End a leased job with its problem."""
    values = statements.end(now, JobState.FAILED) | {"problem": problem.model_dump_json()}
    ended = _end(connection, statements.of_lease().values(**values), lease_parameters(lease))
    if ended is None:
        return False
    _announce(connection, ended, event, now)
    return True


def cancel(
    connection: Connection,
    job_id: UUID,
    problem: FailureData,
    event: BatchProcessingFailed | None,
    now: ColumnElement[float],
) -> bool:
    """End a job that has not ended, whether it is leased or not."""
    values = statements.end(now, JobState.CANCELLED) | {"problem": problem.model_dump_json()}
    ended = _end(connection, update(jobs).where(jobs.c.id == job_id, IS_ACTIVE).values(**values), {})
    if ended is None:
        return False
    _announce(connection, ended, event, now)
    return True


def lease_parameters(lease: JobLease) -> Parameters:
    """Return the parameters of `statements.of_lease`."""
    return {"leased_id": lease.job.id, "leased_token": lease.token}


class _EndedJob(NamedTuple):
    """The part of an ended row that its event needs."""

    id: UUID
    traceparent: str | None


def _end(connection: Connection, statement: Update, parameters: Parameters) -> _EndedJob | None:
    row = connection.execute(statement.returning(jobs.c.id, jobs.c.traceparent), parameters).one_or_none()
    return None if row is None else _EndedJob(row.id, row.traceparent)


def _announce(
    connection: Connection, job: _EndedJob, event: TerminalEvent | None, now: ColumnElement[float]
) -> None:
    """Add the event to the outbox, under another id where its own is taken."""
    if event is None:
        return
    add = outbox_statements.add(connection.dialect.name, now)
    while not connection.execute(add, _event_row(event, job)).rowcount:
        event = event.model_copy(update={"interaction_id": uuid4()})
    connection.execute(update(jobs).where(jobs.c.id == job.id).values(event_id=event.interaction_id))


def _event_row(event: TerminalEvent, job: _EndedJob) -> Parameters:
    return new_row(EventLease(event, uuid4(), 0, job.traceparent), lease_seconds=0.0)
