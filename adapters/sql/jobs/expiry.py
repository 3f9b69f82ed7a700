"""Jobs and recordings whose time is over."""

from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, delete, select, update

from adapters.sql.jobs.rows import recording_values
from adapters.sql.schema.tables import IS_FINISHED, job_units, jobs
from domain.model.jobs import ExpiredJob, JobState

_ROW = jobs.c
_WITHOUT_RETRY = [JobState.COMPLETED.value, JobState.CANCELLED.value]


def delete_jobs(connection: Connection, limit: int, latest: ColumnElement[float]) -> tuple[ExpiredJob, ...]:
    """Delete jobs that ended until then, with their units."""
    old = _ended_until(latest).limit(limit).with_for_update(skip_locked=True)
    gone = delete(jobs).where(_ROW.id.in_(old.scalar_subquery())).returning(_ROW.id, _ROW.recording_key)
    rows = connection.execute(gone).all()
    connection.execute(delete(job_units).where(job_units.c.job_id.in_([row.id for row in rows])))
    return tuple(ExpiredJob(row.id, row.recording_key) for row in rows)


def forget_recordings(
    connection: Connection, limit: int, latest: ColumnElement[float]
) -> tuple[ExpiredJob, ...]:
    """Empty the recordings of completed and cancelled jobs that ended until then; failed ones keep theirs."""
    chosen = _ended_until(latest).add_columns(_ROW.recording_key)
    chosen = chosen.where(_ROW.state.in_(_WITHOUT_RETRY), _ROW.recording_key.is_not(None)).limit(limit)
    rows = connection.execute(chosen.with_for_update(skip_locked=True)).all()
    emptied = update(jobs).where(_ROW.id.in_([row.id for row in rows]))
    connection.execute(emptied.values(recording_values(None)))
    return tuple(ExpiredJob(row.id, row.recording_key) for row in rows)


def _ended_until(latest: ColumnElement[float]) -> Select[UUID]:
    return select(_ROW.id).where(IS_FINISHED, _ROW.finished_at <= latest).order_by(_ROW.finished_at)
