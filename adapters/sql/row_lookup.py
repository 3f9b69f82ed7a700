"""Look-ups of one row that every request needs, by the driver alone: SQLAlchemy takes five times as long."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Select
from sqlalchemy.exc import SQLAlchemyError

from adapters.sql.database import Database, Failure


class RowLookup:
    """Runs a query for at most one row; its values are the driver's: with SQLite, a UUID is a text.

    Where the driver fails, the query is repeated in the usual way, which closes broken connections and
    translates errors.
    """

    def __init__(self, database: Database, query: Select[*tuple[Any, ...]], failure: Failure) -> None:
        self._database = database
        self._query = query
        self._failure = failure
        self._compiled = query.compile(dialect=database.engine.dialect)
        self._errors = (database.engine.dialect.loaded_dbapi.Error, SQLAlchemyError)

    def __call__(self, **parameters: object) -> Sequence[Any] | None:
        """Return the row; None where there is none."""
        try:
            return self._by_the_driver(parameters)
        except self._errors:
            with self._database.reading(self._failure) as connection:
                return connection.execute(self._query, parameters).one_or_none()

    def _by_the_driver(self, parameters: dict[str, object]) -> Sequence[Any] | None:
        values, names = self._compiled.construct_params(parameters), self._compiled.positiontup
        connection = self._database.engine.raw_connection()
        try:
            with closing(connection.cursor()) as cursor:
                cursor.execute(str(self._compiled), [values[name] for name in names] if names else values)
                row: Sequence[Any] | None = cursor.fetchone()
        except BaseException:
            connection.invalidate()
            raise
        connection.close()  # back into the pool, which ends the transaction
        return row
