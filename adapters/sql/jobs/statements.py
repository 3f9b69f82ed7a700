"""SQL statements of the jobs, the same for SQLite and PostgreSQL."""

from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Double,
    Integer,
    ScalarSelect,
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
from adapters.sql.schema.tables import IS_ACTIVE, IS_PROCESSING, jobs
from domain.model.jobs import JobStage, JobState
from domain.model.outbox import MAX_WAIT_SECONDS

_ROW = jobs.c
PROCESSING, QUEUED = JobState.PROCESSING.value, JobState.QUEUED.value


def is_free(now: ColumnElement[float]) -> ColumnElement[bool]:
    """Build the condition of a row that is due and not leased; see `MAX_WAIT_SECONDS`."""
    latest = now + MAX_WAIT_SECONDS
    return and_(*(or_(moment <= now, moment > latest) for moment in (_ROW.due_at, _ROW.lease_until)))


def next_in_turn(now: ColumnElement[float]) -> Select[UUID, int]:
    """Select the oldest free row of each tenant with the tenant's leased rows; the fewest come first.

    The cost grows with the tenants that have active rows, and not with the rows that wait: `_tenants` and
    `_oldest` read one entry of an index for each.
    """
    tenants, leased = _tenants(), _leased(now)
    oldest = select(_oldest(now, tenants).label("id")).where(tenants.c.tenant_id.is_not(None))
    heads = oldest.subquery("heads")
    count, limit = func.coalesce(leased.c.count, 0), bindparam("tenant_limit", type_=Integer)
    return (
        select(_ROW.id, count.label("leased"))
        .select_from(heads.join(jobs, _ROW.id == heads.c.id))
        .outerjoin(leased, leased.c.tenant_id == _ROW.tenant_id)
        .where(or_(limit.is_(None), count < limit))
        .order_by(count, _ROW.created_at, _ROW.id)
        .limit(bindparam("at_most", type_=Integer))
    )


def _tenants() -> CTE:
    """Walk through the tenants with active rows, from each to the next, down to a row without a tenant."""
    first = select(_ROW.tenant_id).where(IS_ACTIVE).order_by(_ROW.tenant_id).limit(1)
    tenants = select(first.scalar_subquery().label("tenant_id")).cte("tenants", recursive=True)
    following = first.where(_ROW.tenant_id > tenants.c.tenant_id).correlate(tenants)
    return tenants.union_all(
        select(following.scalar_subquery()).where(tenants.c.tenant_id.is_not(None)).select_from(tenants)
    )


def _oldest(now: ColumnElement[float], tenants: CTE) -> ScalarSelect[UUID]:
    """Find the oldest free row of a tenant."""
    return (
        select(_ROW.id)
        .where(IS_ACTIVE, _ROW.tenant_id == tenants.c.tenant_id)
        .where(_ROW.queue.in_(bindparam("queues", expanding=True)), is_free(now))
        .order_by(_ROW.created_at, _ROW.id)
        .limit(1)
        .correlate(tenants)
        .scalar_subquery()
    )


def _leased(now: ColumnElement[float]) -> Subquery:
    """Count the leased rows of each tenant; a dead worker's lease has expired, and does not count."""
    return (
        select(_ROW.tenant_id, func.count().label("count"))
        .where(IS_PROCESSING, _ROW.lease_until > now, _ROW.lease_until <= now + MAX_WAIT_SECONDS)
        .group_by(_ROW.tenant_id)
        .subquery("leased")
    )


def lease(now: ColumnElement[float]) -> Update:
    """Lease rows to a new token; PostgreSQL checks the conditions again where a row has changed meanwhile."""
    return (
        update(jobs)
        .where(_ROW.id.in_(bindparam("chosen", expanding=True)), IS_ACTIVE, is_free(now))
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
