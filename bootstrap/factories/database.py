"""Factory of the database that `DATABASE_URL` names."""

from pathlib import Path

from adapters.sql.database import Database
from adapters.sql.engines.factory import engine_for
from adapters.sql.engines.postgresql import warn_about_lost_commits
from adapters.sql.schema.upgrade import upgrade_schema
from domain.model.errors import OutboxUnavailableError

_SQLITE = "sqlite:///"


def sqlite_file(url: str) -> Path | None:
    """Return the file of an SQLite database; None for a database server."""
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None


def prepare_database(url: str, *, on_network: bool = False) -> Database:
    """Open the database and migrate its schema; several processes may do so at once.

    `on_network` allows an SQLite file on a network file system.

    Raises:
        ConfigurationError: `DATABASE_URL` has another form, its file cannot be created or is not allowed
            there, or the database belongs to a newer version of this service.
        OutboxUnavailableError: the database cannot be reached, or refuses the migration.
    """
    database = Database(engine_for(url, on_network=on_network))
    upgrade_schema(database)
    if not database.is_sqlite:
        with database.reading(OutboxUnavailableError) as connection:
            warn_about_lost_commits(connection)
    return database
