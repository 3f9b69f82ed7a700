"""Engine for a `DATABASE_URL`: SQLite or PostgreSQL."""

import re
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError

from adapters.sql.engines.file_systems import file_system_of, is_networked
from adapters.sql.engines.postgresql import postgresql_engine
from adapters.sql.engines.sqlite import sqlite_engine
from domain.model.errors import ConfigurationError

FORMS = "sqlite:///path/to/file.db or postgresql+psycopg://user:password@host/name"


FileSystemOf = Callable[[Path], str | None]


def engine_for(
    url: str, *, on_network: bool = False, file_system_of: FileSystemOf = file_system_of
) -> Engine:
    """Create an engine, not connected yet; a relative SQLite path counts from the working directory.

    `on_network` allows an SQLite file on a file system that another machine shares.

    Raises:
        ConfigurationError: the URL has another form, or the SQLite file cannot be created or is not
            allowed there.
    """
    parsed = _parsed(url)
    if parsed.drivername == "postgresql+psycopg" and parsed.database and "@" not in (parsed.host or ""):
        return postgresql_engine(parsed)
    if parsed.drivername == "sqlite" and parsed.database not in (None, "", ":memory:") and not parsed.query:
        path = Path(str(parsed.database))
        if not on_network:
            _refuse_network(path, file_system_of(path))
        return _on_file(path)
    raise _unusable(url)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise _unusable(url) from None


def _unusable(url: str) -> ConfigurationError:
    """Name only the scheme of the URL: the rest may contain a password."""
    scheme = re.match(r"[a-z0-9+]{1,30}(?=://)", url)
    found = f"; it begins with {scheme[0]}://" if scheme else ""
    return ConfigurationError(f"DATABASE_URL must have the form {FORMS}{found}")


def _refuse_network(path: Path, kind: str | None) -> None:
    if is_networked(kind):
        raise ConfigurationError(
            f"DATABASE_URL: {path} is on a file system of the type {kind}, where SQLite's locks may not hold,"
            " so that events could be lost. Name a file on a disk of this machine, or a PostgreSQL"
            " (postgresql+psycopg://…); or, if you know that they hold there, set"
            " DATABASE_ALLOW_NETWORK_FILE_SYSTEM=true."
        )


def _on_file(path: Path) -> Engine:
    try:
        return sqlite_engine(path)
    except OSError as error:
        raise ConfigurationError(
            f"DATABASE_URL: {path} cannot be opened: {error.strerror}."
            " Without DATABASE_URL, DATA_DIR names its folder."
        ) from None
