"""The indexes that hold some rows only, as the migrations leave them.

Apart from the tables: to name PostgreSQL's condition is to load its dialect, a tenth of a start on SQLite.
"""

from sqlalchemy import Column, ColumnElement, Index

from adapters.sql.schema.tables import HAS_KEPT_TEXTS, IS_SETTLED, IS_WAITING, metadata, outbox

__all__ = ["metadata"]


def _index(name: str, rows: ColumnElement[bool], *columns: Column[object]) -> None:
    """The same rows in both databases."""
    Index(name, *columns, sqlite_where=rows, postgresql_where=rows)


_index("outbox_waiting", IS_WAITING, outbox.c.due_at, outbox.c.lease_until, outbox.c.added_at)
_index("outbox_settled", IS_SETTLED, outbox.c.state, outbox.c.settled_at)
# the same columns as above: SQLite prefers more of them to fewer rows
_index("outbox_texts", HAS_KEPT_TEXTS, outbox.c.state, outbox.c.settled_at)
