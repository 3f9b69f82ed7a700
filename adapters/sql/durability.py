"""Report on the durability of a database: the settings with which confirmed commits can be lost."""

from typing import NamedTuple

from sqlalchemy import Connection

from adapters.sql.database import Database
from adapters.sql.engines.postgresql import UNSAFE_SETTINGS
from adapters.sql.schema.upgrade import revision
from domain.model.errors import OutboxUnavailableError

_SYNCHRONOUS = ("OFF", "NORMAL", "FULL", "EXTRA")
"""The names of the numbers that SQLite returns."""
_DURABLE = ("FULL", "EXTRA")


class DurabilityReport(NamedTuple):
    """Durability settings and schema of a database."""

    settings: dict[str, str]  # the settings that affect durability, by name; for PostgreSQL also its version
    unsafe: tuple[str, ...]  # the names of the settings with which confirmed commits can be lost
    schema: str | None  # the last migration; None if there are no tables yet


def durability_report(database: Database) -> DurabilityReport:
    """Read settings and schema, without changing anything.

    Raises:
        OutboxUnavailableError: the database cannot be reached, or refuses the queries.
    """
    with database.reading(OutboxUnavailableError) as connection:
        settings_of = _sqlite if database.is_sqlite else _postgresql
        return DurabilityReport(*settings_of(connection), revision(connection))


def _sqlite(connection: Connection) -> tuple[dict[str, str], tuple[str, ...]]:
    level = _SYNCHRONOUS[int(_query(connection, "PRAGMA synchronous"))]
    settings = {"journal_mode": _query(connection, "PRAGMA journal_mode"), "synchronous": level}
    return settings, () if level in _DURABLE else ("synchronous",)


def _postgresql(connection: Connection) -> tuple[dict[str, str], tuple[str, ...]]:
    names = ("server_version", *UNSAFE_SETTINGS)
    settings = {name: _query(connection, f"SHOW {name}") for name in names}
    return settings, tuple(name for name in UNSAFE_SETTINGS if settings[name] == "off")


def _query(connection: Connection, statement: str) -> str:
    return str(connection.exec_driver_sql(statement).scalar_one())
