"""What a database says about itself, for an operator: whether it keeps what it has confirmed."""

from typing import NamedTuple

from sqlalchemy import Connection

from adapters.sql.database import Database
from adapters.sql.engines.postgresql import UNSAFE_SETTINGS
from adapters.sql.schema.upgrade import revision
from domain.model.errors import OutboxUnavailableError

_SYNCHRONOUS = ("OFF", "NORMAL", "FULL", "EXTRA")
"""What SQLite gives back as a number."""
_DURABLE = ("FULL", "EXTRA")


class DurabilityReport(NamedTuple):
    """How a database is.

    Attributes:
        settings: what decides on durability, by name; with PostgreSQL its version, too.
        unsafe: the names of those with which confirmed commits can be lost.
        schema: the migration that was run last; None where there are no tables yet.
    """

    settings: dict[str, str]
    unsafe: tuple[str, ...]
    schema: str | None


def durability_report(database: Database) -> DurabilityReport:
    """Look, without changing anything.

    Raises:
        OutboxUnavailableError: the database cannot be reached, or refuses.
    """
    with database.reading(OutboxUnavailableError) as connection:
        look = _sqlite if database.is_sqlite else _postgresql
        return DurabilityReport(*look(connection), revision(connection))


def _sqlite(connection: Connection) -> tuple[dict[str, str], tuple[str, ...]]:
    level = _SYNCHRONOUS[int(_asked(connection, "PRAGMA synchronous"))]
    settings = {"journal_mode": _asked(connection, "PRAGMA journal_mode"), "synchronous": level}
    return settings, () if level in _DURABLE else ("synchronous",)


def _postgresql(connection: Connection) -> tuple[dict[str, str], tuple[str, ...]]:
    names = ("server_version", *UNSAFE_SETTINGS)
    settings = {name: _asked(connection, f"SHOW {name}") for name in names}
    return settings, tuple(name for name in UNSAFE_SETTINGS if settings[name] == "off")


def _asked(connection: Connection, statement: str) -> str:
    return str(connection.exec_driver_sql(statement).scalar_one())
