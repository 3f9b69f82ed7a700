"""SQL statements of the outbox, the same for SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Delete,
    Double,
    Insert,
    Integer,
    Select,
    String,
    Subquery,
    Update,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    delete,
    false,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.types import TypeEngine

from adapters.sql.outbox.rows import RowUpdate
from adapters.sql.schema.dialect import insert_into
from adapters.sql.schema.tables import HAS_KEPT_TEXTS, IS_SETTLED, IS_WAITING, is_erased, outbox
from domain.model.outbox import MAX_WAIT_SECONDS, OutboxState

PRUNE_BATCH = 500
"""Rows deleted in one transaction, so that other writers wait only briefly."""

_ROW = outbox.c

Types = tuple[type[TypeEngine[Any]], ...]


def add(dialect: str, now: ColumnElement[float]) -> Insert:
    """Insert an event unless its row or a tombstone of it exists; the result's `rowcount` tells."""
    id_ = bindparam("interaction_id", type_=Uuid)
    values: dict[str, ColumnElement[Any]] = {
        "interaction_id": id_,
        "tenant_id": bindparam("tenant_id", type_=Uuid),
        "state": literal(OutboxState.WAITING.value),
        "added_at": now,
        "due_at": now,
        "lease_until": now + bindparam("lease_seconds", type_=Double),
        "token": bindparam("token", type_=Uuid),
        "attempts": literal(0),
        "event": bindparam("event", type_=String),
        "traceparent": bindparam("traceparent", type_=String),
        "user_id": bindparam("user_id", type_=String),
    }
    return (
        insert_into(dialect, outbox)
        .from_select(list(values), select(*values.values()).where(~is_erased(id_)))
        .on_conflict_do_nothing()
        .execution_options(preserve_rowcount=True)
    )


def lease_due(now: ColumnElement[float]) -> Update:
    """Lease due rows to a new token."""
    return _lease((_ROW.due_at <= now) & (_ROW.lease_until <= now), now)


def lease_postdated(now: ColumnElement[float]) -> Update:
    """Lease rows whose time lies so far ahead that the clock must have been set back.

    The statement reads the whole index, so it runs only when few rows are due.
    """
    latest, moments = now + MAX_WAIT_SECONDS, (_ROW.due_at, _ROW.lease_until)
    is_postdated = or_(*(moment > latest for moment in moments))
    return _lease(and_(is_postdated, *((moment <= now) | (moment > latest) for moment in moments)), now)


def _lease(is_free: ColumnElement[bool], now: ColumnElement[float]) -> Update:
    """Choose the rows in a CTE: PostgreSQL may run a plain subselect twice, and lease too many rows.

    Rows that another transaction is leasing are skipped; SQLite has one writer and ignores that clause.
    """
    due = (
        select(_ROW.interaction_id)
        .where(IS_WAITING, is_free)
        .order_by(_ROW.due_at)
        .limit(bindparam("at_most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(outbox)
        .where(_ROW.interaction_id.in_(select(due.c.interaction_id)))
        .values(
            token=bindparam("new_token", type_=Uuid),
            lease_until=now + bindparam("lease_seconds", type_=Double),
        )
        .returning(_ROW.event, _ROW.attempts, _ROW.interaction_id, _ROW.due_at, _ROW.traceparent)
    )


def settle(dialect: str, now: ColumnElement[float], *, keeps_texts: bool) -> Update:
    """Record outcomes, each only if its token is the row's latest; they come as one JSON array of arrays.

    One statement for all costs half as much as one for each. The fields are in the order of `RowUpdate`.
    """
    outcome = _outcomes(dialect)
    is_dropped = false() if keeps_texts else outcome.c.state == OutboxState.PUBLISHED.value
    return (
        update(outbox)
        .where(
            _ROW.interaction_id == outcome.c.interaction_id,
            _ROW.token == outcome.c.token,
            IS_WAITING,
        )
        .values(
            state=outcome.c.state,
            due_at=now + outcome.c.delay_seconds,
            lease_until=now,
            token=null(),
            attempts=_ROW.attempts + outcome.c.failures,
            settled_at=case((outcome.c.state == OutboxState.WAITING.value, null()), else_=now),
            event_id=outcome.c.event_id,
            reason=func.coalesce(outcome.c.reason, _ROW.reason),
            event=case((is_dropped, null()), else_=_ROW.event),
        )
    )


def _outcomes(dialect: str) -> Subquery:
    json = bindparam("outcomes", type_=String)
    rows = func.json_each(json) if dialect == "sqlite" else func.json_array_elements(cast(json, JSON))
    row = rows.table_valued("value", name="row_of_outcomes").c.value
    types: Types = (Uuid, Uuid, String, Double, Integer, String, String)
    fields = (
        cast(row.op("->>")(literal_column(str(place))), type_).label(name)
        for place, (name, type_) in enumerate(zip(RowUpdate._fields, types, strict=True))
    )
    return select(*fields).subquery("outcome")


def counts(now: ColumnElement[float]) -> Select[int, int, int, float | None]:
    """Select one row: waiting, rejected, published, and the age of the oldest waiting one; from indexes."""
    count, oldest = select(func.count()).select_from(outbox), select(func.min(_ROW.added_at))
    return select(
        count.where(IS_WAITING).scalar_subquery(),
        count.where(IS_SETTLED, _ROW.state == OutboxState.REJECTED.value).scalar_subquery(),
        count.where(IS_SETTLED, _ROW.state == OutboxState.PUBLISHED.value).scalar_subquery(),
        now - oldest.where(IS_WAITING).scalar_subquery(),
    )


def seconds_until_due(now: ColumnElement[float]) -> Select[float | None]:
    """Select the seconds until a waiting row is due and not leased."""
    due, leased = (
        case((moment > now + MAX_WAIT_SECONDS, now), else_=moment)
        for moment in (_ROW.due_at, _ROW.lease_until)
    )
    free_at = case((due > leased, due), else_=leased)
    return select(func.min(free_at) - now).where(IS_WAITING)


def retry(now: ColumnElement[float]) -> Update:
    """Make rows due now; present leases continue."""
    return update(outbox).values(state=OutboxState.WAITING.value, due_at=now, settled_at=null())


def purge_payloads(now: ColumnElement[float]) -> Update:
    """Empty a batch of rows that were published long enough ago; the index holds only rows with a payload."""
    old = (
        select(_ROW.interaction_id)
        .where(HAS_KEPT_TEXTS, _ROW.settled_at <= now - bindparam("age_seconds", type_=Double))
        .limit(bindparam("at_most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    emptied = update(outbox).where(_ROW.interaction_id.in_(select(old.c.interaction_id))).values(event=null())
    return emptied.returning(_ROW.interaction_id)


def prune(now: ColumnElement[float]) -> Delete:
    """Delete a batch of rows that were settled long enough ago, except those that another process deletes."""
    old = (
        select(_ROW.interaction_id)
        .where(
            IS_SETTLED,
            _ROW.state.in_(bindparam("states", expanding=True)),
            _ROW.settled_at <= now - bindparam("age_seconds", type_=Double),
        )
        .limit(PRUNE_BATCH)
        .with_for_update(skip_locked=True)
    )
    return delete(outbox).where(_ROW.interaction_id.in_(old))
