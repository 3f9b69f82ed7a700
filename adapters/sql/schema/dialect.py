"""The two differences between SQLite and PostgreSQL in SQL: the clock, and INSERT … ON CONFLICT."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Double, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


class DatabaseNow(FunctionElement[float]):
    """Seconds since 1970 by the database's clock, the same for a whole statement."""

    type = Double()
    inherit_cache = True


@compiles(DatabaseNow, "sqlite")
def _sqlite_now(_element: DatabaseNow, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's signature
    """Use Julian days, exact to a millisecond: `unixepoch('subsec')` needs SQLite 3.42."""
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(DatabaseNow, "postgresql")
def _postgresql_now(_element: DatabaseNow, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's signature
    """Avoid `now()`, which stands still in a transaction, and `clock_timestamp()`, which no index serves."""
    return "CAST(extract(epoch FROM statement_timestamp()) AS double precision)"


def insert_into(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Return an INSERT that takes an ON CONFLICT clause: SQLAlchemy has one class for each database."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - a tenth of a start, which SQLite need not pay

    return postgresql.insert(table)
