"""The existing outbox of a service, for operators' commands."""

from pathlib import Path
from typing import NamedTuple

from adapters.sql.database import Database
from adapters.sql.durability import durability_report
from adapters.sql.engines.factory import engine_for
from adapters.sql.jobs.jobs import SqlJobs
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.tables import SCHEMA_REVISION
from bootstrap.container import Container
from bootstrap.factories.database import sqlite_file
from domain.model.errors import ConfigurationError
from domain.model.jobs import JobCounts
from domain.model.outbox import OutboxCounts
from ports.outbox_port import OutboxPort


class StoredCounts(NamedTuple):
    """Events and jobs that wait in the database of a service."""

    outbox: OutboxCounts
    jobs: JobCounts


def existing_outbox(container: Container) -> OutboxPort:
    """Open the outbox of the service; do not create its file.

    A command might create the file for the wrong user or in the wrong folder, and would find it empty.

    Raises:
        ConfigurationError: there is no such file, or `DATABASE_URL` cannot be used.
        OutboxUnavailableError: the database cannot be reached, or refuses the connection.
    """
    require_database(container.settings().database_url)
    return container.outbox()


def counts_as_they_are(url: str) -> StoredCounts:
    """Count the events of the outbox and the jobs, without creating or migrating their database.

    Raises:
        ConfigurationError: there is no such file, or its schema is of another version of the service.
        OutboxUnavailableError, JobStoreUnavailableError: the database cannot be reached, or refuses the
            query.
    """
    require_database(url)
    database = Database(engine_for(url))
    try:
        found = durability_report(database).schema
        if found != SCHEMA_REVISION:
            raise ConfigurationError(
                f"the schema of the outbox is {found or 'not there yet'}, and this version of the service "
                f"has {SCHEMA_REVISION}; its next start migrates it"
            )
        return StoredCounts(SqlOutbox(database).counts(), SqlJobs(database).counts())
    finally:
        database.close()


def require_database(url: str) -> None:
    """Check that the file of an SQLite database exists.

    Raises:
        ConfigurationError: the file is missing or cannot be accessed.
    """
    file = sqlite_file(url)
    try:
        if file is not None:
            file.stat()
    except OSError as error:
        raise ConfigurationError(
            f"DATABASE_URL: {file}: {error.strerror}. The service makes it at its first start; "
            f"a relative path counts from the current folder, {Path.cwd()}."
        ) from None
