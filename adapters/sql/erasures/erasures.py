"""Erasures in a database, SQLite or PostgreSQL."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select, update

from adapters.sql.database import Database
from adapters.sql.erasures import removal, search
from adapters.sql.schema.dialect import DatabaseNow
from adapters.sql.schema.tables import IS_PENDING, erasures
from domain.model.erasures import ErasedRows, Erasure, ErasureQuery, PendingObjects
from domain.model.errors import JobStoreUnavailableError
from domain.model.identity import Interaction
from ports.erasure_port import ErasurePort

_ROW = erasures.c


class SqlErasures(ErasurePort):
    """One row for each erased interaction; every method is one short transaction.

    `now` is the present time in SQL: the database's clock, or another one in tests.
    """

    def __init__(self, database: Database, *, now: ColumnElement[float] | None = None) -> None:
        self._database = database
        self._now = DatabaseNow() if now is None else now

    def find(
        self, query: ErasureQuery, /, *, limit: int, behind: UUID | None = None
    ) -> tuple[Interaction, ...]:
        """Read from all tables that hold texts or names of objects."""
        with self._reading() as connection:
            rows = connection.execute(search.interactions(query, limit, behind)).all()
        return tuple(Interaction(row.id, row.tenant_id, row.user_id) for row in rows)

    def erase(self, interaction: Interaction, erasure: Erasure, /) -> ErasedRows:
        """Delete or replace the rows, first that of the job, which its worker locks first, too."""
        with self._database.writing(JobStoreUnavailableError) as connection:
            return removal.erase(connection, interaction, erasure, self._now)

    def pending(
        self, limit: int, /, *, interaction_id: UUID | None = None, behind: UUID | None = None
    ) -> tuple[PendingObjects, ...]:
        """Read from the index of the pending ones."""
        query = select(_ROW.interaction_id, _ROW.tenant_id, _ROW.recording_key).where(IS_PENDING)
        if interaction_id is not None:
            query = query.where(_ROW.interaction_id == interaction_id)
        if behind is not None:
            query = query.where(_ROW.interaction_id > behind)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(_ROW.interaction_id).limit(limit)).all()
        return tuple(PendingObjects(row.interaction_id, row.tenant_id, row.recording_key) for row in rows)

    def finish(self, interaction_id: UUID, /) -> bool:
        """Empty the columns, unless an earlier lease is still valid."""
        named = _ROW.interaction_id == interaction_id
        done = update(erasures).where(named, _ROW.pending_until <= self._now)
        with self._database.writing(JobStoreUnavailableError) as connection:
            connection.execute(done.values(pending_until=None, recording_key=None))
            return not _is_pending(connection, interaction_id)

    def erased(self, interaction_ids: Sequence[UUID], /) -> frozenset[UUID]:
        """Look the ids up."""
        query = select(_ROW.interaction_id).where(_ROW.interaction_id.in_(interaction_ids))
        with self._reading() as connection:
            return frozenset(connection.execute(query).scalars())

    def is_empty(self) -> bool:
        """Look for one row."""
        with self._reading() as connection:
            return connection.execute(select(_ROW.interaction_id).limit(1)).one_or_none() is None

    def scrub(self) -> bool:
        """Empty the write-ahead log of SQLite, which holds earlier versions of pages."""
        return self._database.truncate_log(JobStoreUnavailableError)

    def _reading(self) -> AbstractContextManager[Connection]:
        return self._database.reading(JobStoreUnavailableError)


def _is_pending(connection: Connection, interaction_id: UUID) -> bool:
    query = select(_ROW.interaction_id).where(_ROW.interaction_id == interaction_id, IS_PENDING)
    return connection.execute(query).one_or_none() is not None
