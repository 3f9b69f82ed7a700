"""The indexes that hold some rows only, as the migrations leave them.

Apart from the tables: to name PostgreSQL's condition is to load its dialect, a tenth of a start on SQLite.
"""

from sqlalchemy import Index

from adapters.sql.tables import HAS_KEPT_TEXTS, IS_SETTLED, IS_WAITING, metadata, outbox

__all__ = ["metadata"]

Index(
    "outbox_waiting",
    outbox.c.due_at,
    outbox.c.lease_until,
    outbox.c.added_at,
    sqlite_where=IS_WAITING,
    postgresql_where=IS_WAITING,
)

Index(
    "outbox_settled",
    outbox.c.state,
    outbox.c.settled_at,
    sqlite_where=IS_SETTLED,
    postgresql_where=IS_SETTLED,
)

Index(
    "outbox_texts",
    outbox.c.state,
    outbox.c.settled_at,  # the same columns as above: SQLite prefers more of them to fewer rows
    sqlite_where=HAS_KEPT_TEXTS,
    postgresql_where=HAS_KEPT_TEXTS,
)
