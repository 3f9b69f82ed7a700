"""INSERT … ON CONFLICT: the one statement that SQLAlchemy has in two classes, one a database."""

from typing import TYPE_CHECKING

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert_into(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """An insert that may say what becomes of rows that are there already."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - a tenth of a start, which SQLite need not pay

    return postgresql.insert(table)
