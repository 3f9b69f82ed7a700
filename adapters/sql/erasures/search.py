"""Queries for the interactions that are to be erased."""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all

from adapters.sql.schema.tables import IS_FINISHED, idempotency_keys, is_erased, jobs, outbox
from domain.model.erasures import ErasureQuery
from domain.model.idempotency import RETENTION_SECONDS
from domain.model.outbox import OutboxState

Id = ColumnElement[UUID]

JOB_INTERACTION = func.coalesce(jobs.c.event_id, jobs.c.id)
"""Interaction of a job: that of its event, which is another than the job's where that one was taken."""

_PUBLISHED = OutboxState.PUBLISHED.value


def interactions(query: ErasureQuery, limit: int, behind: UUID | None) -> Select[UUID, UUID, str | None]:
    """Select id, tenant and user of the interactions that the stores have, in the order of their ids."""
    found = union_all(_jobs(query), _events(query), _answers(query))
    rows = found.subquery("found")
    user = func.max(rows.c.user_id).label("user_id")
    page = select(rows.c.id, rows.c.tenant_id, user).group_by(rows.c.id, rows.c.tenant_id)
    if behind is not None:
        page = page.where(rows.c.id > behind)
    return page.order_by(rows.c.id).limit(limit)


def _jobs(query: ErasureQuery) -> Select[UUID, UUID, str]:
    row = jobs.c
    conditions = _owned(query, JOB_INTERACTION, row.tenant_id, row.user_id, row.created_at)
    if query.only_settled:
        unsent = select(outbox.c.interaction_id).where(
            outbox.c.interaction_id == JOB_INTERACTION, outbox.c.state != _PUBLISHED
        )
        conditions += [IS_FINISHED, ~unsent.exists()]
    return select(JOB_INTERACTION.label("id"), row.tenant_id, row.user_id).where(*conditions)


def _events(query: ErasureQuery) -> Select[UUID, UUID, str]:
    """Leave out what an erasure has left, unless the query names it."""
    row = outbox.c
    conditions = _owned(query, row.interaction_id, row.tenant_id, row.user_id, row.added_at)
    if query.interaction_id is None:
        conditions.append(~is_erased(row.interaction_id))
    if query.only_settled:
        conditions.append(row.state == _PUBLISHED)
    return select(row.interaction_id.label("id"), row.tenant_id, row.user_id).where(*conditions)


def _answers(query: ErasureQuery) -> Select[UUID, UUID, str]:
    """Search for answers, which are kept for a day, too short a time for a retention."""
    row = idempotency_keys.c
    moment = row.expires_at - RETENTION_SECONDS
    conditions = _owned(query, row.interaction_id, row.owner_tenant_id, row.owner_user_id, moment)
    if query.only_settled:
        conditions.append(literal(value=False))
    columns = (row.interaction_id.label("id"), row.owner_tenant_id.label("tenant_id"), row.owner_user_id)
    return select(*columns).where(row.interaction_id.is_not(None), *conditions)


def _owned(
    query: ErasureQuery, id_: Id, tenant: Id, user: ColumnElement[str], moment: ColumnElement[float]
) -> list[ColumnElement[bool]]:
    asked: tuple[tuple[object, ColumnElement[bool]], ...] = (
        (query.interaction_id, id_ == query.interaction_id),
        (query.tenant_id, tenant == query.tenant_id),
        (query.user_id, user == query.user_id),
        (query.before, moment < (query.before.timestamp() if query.before else 0.0)),
    )
    return [condition for value, condition in asked if value is not None]
