"""SQL statements of the deduplication of consumed events, the same for SQLite and PostgreSQL.

The events of a statement are passed as one JSON array of arrays: half the cost of one statement each.
Leases have a small table of their own (`event_holds`), so that each event touches the large one once.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Delete,
    Double,
    Insert,
    Select,
    String,
    Table,
    Uuid,
    any_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.sql.selectable import Subquery

from adapters.sql.schema.dialect import insert_into
from adapters.sql.schema.tables import event_holds, processed_events

PRUNE_BATCH = 500
"""Rows deleted per transaction, so that other writers do not wait long."""

_EVENT = ("interaction_id", "replay", "detail_type")
_LEASE = event_holds.c
_DONE = processed_events.c
_GROUP: ColumnElement[str] = bindparam("of_group", type_=String)


class ProcessedStatements:
    """Statements for one database and one clock, created once, as SQLAlchemy compiles each once.

    Attributes:
        lease: insert leases, replacing expired ones; the row count says how many succeeded.
        owned: select the events whose lease has the given token.
        completed: select the events that are recorded as completed.
        done_of_type: select the recordings with a completed event of a type, in any replay.
        leased_of_type: select the recordings with a leased event of a type, in any replay.
        delete_leases: delete the leases of these events, with any token.
        complete: record these events as completed.
        renew: extend the leases that still have the given token.
        release: delete the leases that still have the given token.
        prune: delete one batch of expired rows; other processes may do the same.
        prune_leases: delete expired leases.
    """

    def __init__(self, dialect: str, now: ColumnElement[float]) -> None:
        event, leased = _events(dialect, *_EVENT), _events(dialect, *_EVENT, "token")
        expiry = now + bindparam("lease_seconds", type_=Double)
        until = now + bindparam("retention_seconds", type_=Double)
        self.lease = _upsert(
            dialect, event_holds, leased, {"token": leased.c.token, "expires_at": expiry}, now
        )
        named, done = (_among(dialect, table, event, *_EVENT) for table in (event_holds, processed_events))
        own = _among(dialect, event_holds, leased, *_EVENT, "token")
        self.owned = select(*_fields(event_holds)).where(*own)
        self.completed = select(*_fields(processed_events)).where(*done, _is_remembered(now))
        ids = _events(dialect, "interaction_id")
        self.done_of_type = _of_type(dialect, processed_events, ids).where(_is_remembered(now))
        self.leased_of_type = _of_type(dialect, event_holds, ids).where(_LEASE.expires_at > now)
        self.delete_leases = delete(event_holds).where(*named)
        self.complete = _upsert(dialect, processed_events, event, {"expires_at": until})
        self.renew = update(event_holds).where(*own).values(expires_at=expiry)
        self.release = delete(event_holds).where(*own)
        self.prune = _prune(now)
        self.prune_leases = delete(event_holds).where(_LEASE.expires_at <= now)


def _fields(table: Table) -> tuple[ColumnElement[Any], ...]:
    return tuple(table.c[name] for name in _EVENT)


def _upsert(
    dialect: str,
    table: Table,
    event: Subquery,
    values: dict[str, ColumnElement[Any]],
    expired: ColumnElement[float] | None = None,
) -> Insert:
    """Insert rows for the events in `rows`; overwrite existing rows, or only expired ones."""
    rows = select(_GROUP, *(event.c[name] for name in _EVENT), *values.values())
    statement = insert_into(dialect, table).from_select(
        ["consumer_group", *_EVENT, *values],
        rows.where(true()),  # SQLite needs a WHERE to tell ON CONFLICT from a join
    )
    return statement.on_conflict_do_update(
        index_elements=table.primary_key,
        set_={name: statement.excluded[name] for name in values},
        where=None if expired is None else table.c.expires_at <= expired,
    ).execution_options(preserve_rowcount=True)


def _among(dialect: str, table: Table, events: Subquery, *fields: str) -> tuple[ColumnElement[bool], ...]:
    """Select rows of the group that are among these events; with a join, SQLite would scan the whole group.

    With outdated statistics, PostgreSQL would scan it as well, unless it gets an array to look up: 55 ms for
    a hundred events among 50,000, instead of half a millisecond.
    """
    own = tuple_(*(table.c[name] for name in fields))
    among = table.c.consumer_group == _GROUP, own.in_(select(*(events.c[name] for name in fields)))
    if dialect == "sqlite":
        return among
    ids = func.array(select(events.c.interaction_id).scalar_subquery(), type_=ARRAY(Uuid))
    return *among, table.c.interaction_id == any_(ids)


def _of_type(dialect: str, table: Table, ids: Subquery) -> Select[tuple[UUID]]:
    return select(table.c.interaction_id).where(
        *_among(dialect, table, ids, "interaction_id"),
        table.c.detail_type == bindparam("of_type", type_=String),
    )


def _is_remembered(now: ColumnElement[float]) -> ColumnElement[bool]:
    """Compare the expiry plus 0.0, so that the planner does not use the index on that column alone."""
    return _DONE.expires_at + 0.0 > now


def _prune(now: ColumnElement[float]) -> Delete:
    key = (_DONE.consumer_group, *_fields(processed_events))
    old = select(*key).where(_DONE.expires_at <= now).limit(PRUNE_BATCH).with_for_update(skip_locked=True)
    return delete(processed_events).where(tuple_(*key).in_(old))


def _events(dialect: str, *fields: str) -> Subquery:
    """Read the parameter `rows`, a JSON array of arrays with these fields in order, as a table."""
    text = bindparam("rows", type_=String)
    rows = func.json_each(text) if dialect == "sqlite" else func.json_array_elements(cast(text, JSON))
    row = rows.table_valued("value", name="row_of_events").c.value
    columns = (
        cast(row.op("->>")(literal_column(str(place))), event_holds.c[name].type).label(name)
        for place, name in enumerate(fields)
    )
    return select(*columns).subquery("event")
