"""Id of a database, which no other one has."""

from typing import TYPE_CHECKING

from sqlalchemy import select

from adapters.sql.database import Database
from adapters.sql.schema.tables import installation
from domain.model.errors import JobStoreUnavailableError

if TYPE_CHECKING:
    from uuid import UUID


def installation_id(database: Database) -> str:
    """Read the id that the database got with its schema; a copy of the database has the same.

    Raises:
        JobStoreUnavailableError: the database cannot be read.
    """
    with database.reading(JobStoreUnavailableError) as connection:
        found: UUID = connection.execute(select(installation.c.id)).scalar_one()
    return found.hex
