"""Upgrade of the schema to the newest migration, safe when several processes start at once."""

import logging

from sqlalchemy import Connection, inspect, text

from adapters.sql.database import Database
from adapters.sql.schema.tables import SCHEMA_REVISION
from domain.model.errors import ConfigurationError, OutboxUnavailableError

logger = logging.getLogger(__name__)

ADVISORY_LOCK = 7_236_017_113
"""The number of our advisory lock in a PostgreSQL database; it must never change."""

MIGRATION_SECONDS = 60
"""Time limit for the migration of another process."""


def upgrade_schema(database: Database) -> None:
    """Migrate in one transaction, for which other processes wait; return fast if the schema is current.

    Raises:
        ConfigurationError: a newer version of this service has migrated the database.
        OutboxUnavailableError: the database cannot be reached, or refuses the migration.
    """
    with database.reading(OutboxUnavailableError, wait_seconds=MIGRATION_SECONDS) as connection:
        before = revision(connection)
        if before == SCHEMA_REVISION:
            return
    import alembic.command  # noqa: F401, PLC0415 - slow, so imported before other processes wait for the transaction

    with database.writing(OutboxUnavailableError, wait_seconds=MIGRATION_SECONDS) as connection:
        if not database.is_sqlite:
            _wait_for_others(connection)
        if revision(connection) == SCHEMA_REVISION:
            return  # another process has migrated it meanwhile
        _migrate(connection)
        _log_migration(before, revision(connection))


def revision(connection: Connection) -> str | None:
    """Return the last migration; None for a new database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _log_migration(before: str | None, after: str | None) -> None:
    """Log the migration; for a new database at DEBUG only."""
    level = logging.INFO if before else logging.DEBUG
    logger.log(level, "database migrated", extra={"schema_before": before, "schema": after})


def _wait_for_others(connection: Connection) -> None:
    """Take an advisory lock; SQLite needs none, as its writers exclude each other."""
    connection.exec_driver_sql(
        f"SET LOCAL lock_timeout = '{MIGRATION_SECONDS}s'; SET LOCAL statement_timeout = 0"
    )
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - 0.2 s, not needed without a migration; imported above
    from alembic.config import Config  # noqa: PLC0415 - same
    from alembic.util import CommandError  # noqa: PLC0415 - same

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "adapters.sql:migrations")
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise ConfigurationError(
            f"DATABASE_URL names a database of a newer version of this service: its schema is "
            f"{revision(connection)}, this version knows {SCHEMA_REVISION} and older."
        ) from None
