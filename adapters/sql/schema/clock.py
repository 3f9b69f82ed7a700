"""The database's clock, in SQL; one of the two places where the databases differ."""

from typing import Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class DatabaseNow(FunctionElement[float]):
    """Seconds since 1970 by the clock of the database, the same for a whole statement."""

    type = Double()
    inherit_cache = True


@compiles(DatabaseNow, "sqlite")
def _sqlite_now(_element: DatabaseNow, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's signature
    """`unixepoch('subsec')` needs SQLite 3.42; Julian days are as exact as a millisecond everywhere."""
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(DatabaseNow, "postgresql")
def _postgresql_now(_element: DatabaseNow, _compiler: SQLCompiler, **_options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's signature
    """Not `now()`, which stands still in a transaction; not `clock_timestamp()`, which no index serves."""
    return "CAST(extract(epoch FROM statement_timestamp()) AS double precision)"
