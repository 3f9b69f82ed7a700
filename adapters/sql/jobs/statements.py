"""SQL statements of the jobs, the same for SQLite and PostgreSQL."""

from sqlalchemy import (
    CTE,
    ColumnElement,
    Double,
    Integer,
    Select,
    String,
    Subquery,
    Update,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    null,
    or_,
    select,
    update,
)

from adapters.sql.jobs.rows import COLUMNS
from adapters.sql.schema.tables import IS_ACTIVE, jobs
from domain.model.jobs import JobStage, JobState
from domain.model.outbox import MAX_WAIT_SECONDS

_ROW = jobs.c
PROCESSING, QUEUED = JobState.PROCESSING.value, JobState.QUEUED.value


def is_free(now: ColumnElement[float]) -> ColumnElement[bool]:
    """Build the condition of a row that is due and not leased; see `MAX_WAIT_SECONDS`."""
    latest = now + MAX_WAIT_SECONDS
    return and_(*(or_(moment <= now, moment > latest) for moment in (_ROW.due_at, _ROW.lease_until)))


def claim(now: ColumnElement[float], *, one: bool = False) -> Update:
    """Lease free rows to a new token, in the tenants' turns; `one` leases the row of a given id alone.

    The conditions stand in the UPDATE, too: PostgreSQL checks them again where another transaction has
    changed a row meanwhile.
    """
    chosen = _chosen(now, one=one)
    return (
        update(jobs)
        .where(_ROW.id.in_(select(chosen.c.id)), IS_ACTIVE, is_free(now))
        .values(
            state=PROCESSING,
            stage=JobStage.FETCHING.value,
            token=bindparam("new_token", type_=Uuid),
            lease_until=now + bindparam("lease_seconds", type_=Double),
            failures=case((_ROW.state == PROCESSING, _ROW.failures + 1), else_=_ROW.failures),
            started_at=func.coalesce(_ROW.started_at, now),
            eta_seconds=null(),
            **seen(now),
        )
        .returning(*COLUMNS)
    )


def _chosen(now: ColumnElement[float], *, one: bool) -> CTE:
    """Choose rows: each counts as many as its tenant has leased and waiting before it; the fewest come first.

    PostgreSQL may run a plain subselect twice, and lease too many rows.
    """
    ranked = _ranked(now, one=one)
    limit = bindparam("tenant_limit", type_=Integer)
    chosen = select(ranked.c.id).where(or_(limit.is_(None), ranked.c.turn <= limit))
    return (
        chosen.order_by(ranked.c.turn, ranked.c.created_at, ranked.c.id)
        .limit(bindparam("at_most", type_=Integer))
        .cte("chosen")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )


def _ranked(now: ColumnElement[float], *, one: bool) -> Subquery:
    """Rank free rows by their tenants' turns; a row that is named needs not be its tenant's oldest."""
    leased = _leased(now)
    place = func.row_number().over(partition_by=_ROW.tenant_id, order_by=(_ROW.created_at, _ROW.id))
    ranked = (
        select(_ROW.id, _ROW.created_at, (func.coalesce(leased.c.count, 0) + place).label("turn"))
        .select_from(jobs.outerjoin(leased, leased.c.tenant_id == _ROW.tenant_id))
        .where(IS_ACTIVE, _ROW.queue.in_(bindparam("queues", expanding=True)), is_free(now))
    )
    if one:  # before the window function counts
        ranked = ranked.where(_ROW.id == bindparam("job_id", type_=Uuid))
    return ranked.subquery("ranked")


def _leased(now: ColumnElement[float]) -> Subquery:
    """Count the leased rows of each tenant; a dead worker's lease has expired, and does not count."""
    return (
        select(_ROW.tenant_id, func.count().label("count"))
        .where(IS_ACTIVE, _ROW.lease_until > now, _ROW.lease_until <= now + MAX_WAIT_SECONDS)
        .group_by(_ROW.tenant_id)
        .subquery("leased")
    )


def seen(now: ColumnElement[float]) -> dict[str, ColumnElement[object]]:
    """Return the values of a change that callers see."""
    return {"revision": _ROW.revision + 1, "updated_at": now}


def of_lease() -> Update:
    """Build an UPDATE of the row of a lease, if its token is the latest; callers add the values."""
    return update(jobs).where(
        _ROW.id == bindparam("leased_id", type_=Uuid),
        _ROW.token == bindparam("leased_token", type_=Uuid),
        _ROW.state == PROCESSING,
    )


def end(now: ColumnElement[float], state: JobState) -> dict[str, object]:
    """Return the values of a job that ends."""
    return {
        "state": state.value,
        "stage": null(),
        "eta_seconds": null(),
        "token": null(),
        "lease_until": now,
        "finished_at": now,
        **seen(now),
    }


def renew(now: ColumnElement[float]) -> Update:
    """Extend the lease of a row; callers do not see it."""
    return of_lease().values(lease_until=now + bindparam("lease_seconds", type_=Double))


def counts(now: ColumnElement[float]) -> Select[int, int, float | None]:
    """Select one row: queued and processing jobs, and the age of the oldest queued one."""
    is_queued = _ROW.state == QUEUED
    return select(
        func.count(case((is_queued, 1))),
        func.count(case((_ROW.state == PROCESSING, 1))),
        now - func.min(case((is_queued, _ROW.created_at))),
    ).where(IS_ACTIVE)


def due(now: ColumnElement[float]) -> Select[object, str]:
    """Select the oldest rows that are free."""
    return (
        select(_ROW.id, _ROW.queue)
        .where(IS_ACTIVE, is_free(now))
        .order_by(_ROW.created_at)
        .limit(bindparam("at_most", type_=Integer))
    )


def by_key() -> Select[object, str]:
    """Select the row of an idempotency key."""
    return select(*COLUMNS).where(
        _ROW.key_scope == bindparam("scope", type_=Uuid), _ROW.key_hash == bindparam("hash", type_=String)
    )
