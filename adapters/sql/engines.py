"""From `DATABASE_URL` to an engine: SQLite or PostgreSQL."""

import re
from pathlib import Path

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError

from adapters.sql.postgresql import postgresql_engine
from adapters.sql.sqlite import sqlite_engine
from domain.model.errors import ConfigurationError

FORMS = "sqlite:///path/to/file.db or postgresql+psycopg://user:password@host/name"


def engine_for(url: str) -> Engine:
    """An engine, set up but not connected yet; a relative SQLite path counts from the working directory.

    Raises:
        ConfigurationError: the URL has another form, or the SQLite file cannot be made.
    """
    parsed = _parsed(url)
    if parsed.drivername == "postgresql+psycopg" and parsed.database and "@" not in (parsed.host or ""):
        return postgresql_engine(parsed)
    if parsed.drivername == "sqlite" and parsed.database not in (None, "", ":memory:") and not parsed.query:
        return _on_file(Path(str(parsed.database)))
    raise _unusable(url)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise _unusable(url) from None


def _unusable(url: str) -> ConfigurationError:
    """Tells only how the URL begins: there may be a password in the rest."""
    scheme = re.match(r"[a-z0-9+]{1,30}(?=://)", url)
    found = f"; it begins with {scheme[0]}://" if scheme else ""
    return ConfigurationError(f"DATABASE_URL must have the form {FORMS}{found}")


def _on_file(path: Path) -> Engine:
    try:
        return sqlite_engine(path)
    except OSError as error:
        raise ConfigurationError(f"DATABASE_URL: {path} cannot be opened: {error.strerror}") from None
