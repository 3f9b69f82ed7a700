"""Fixtures for tests on databases."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from adapters.sql.database import Database
from tests.integration.localstack import SHARED_FOLDER
from tests.support.databases.databases import (
    LIBRARIES,
    POSTGRESQL,
    Clock,
    Place,
    PostgreSqlServer,
    postgresql_server,
)
from tests.support.databases.migrated import copy_migrated


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSqlServer]:
    """Start the server that the processes of this test run share."""
    with postgresql_server(Path(os.environ[SHARED_FOLDER])) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_name(postgresql: PostgreSqlServer) -> str:
    """Return the name of a database that is ready for use, as a template."""
    url = postgresql.new_url()
    Place(POSTGRESQL, url).open().close()
    return str(make_url(url).database)


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    return Place("sqlite", f"sqlite:///{tmp_path}/var/test.db")


@pytest.fixture
def postgresql_place(postgresql: PostgreSqlServer) -> Place:
    return Place(POSTGRESQL, postgresql.new_url())


EVERY_KIND = [*LIBRARIES, pytest.param(POSTGRESQL, marks=pytest.mark.process)]


@pytest.fixture(params=EVERY_KIND)
def empty_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A database of each kind, without tables."""
    if request.param == POSTGRESQL:
        place: Place = request.getfixturevalue("postgresql_place")
        return place
    return Place(request.param, f"sqlite:///{tmp_path}/var/test.db")


@pytest.fixture(params=EVERY_KIND)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A database of each kind, ready for use."""
    if request.param == POSTGRESQL:
        server: PostgreSqlServer = request.getfixturevalue("postgresql")
        return Place(POSTGRESQL, server.new_url(template=request.getfixturevalue("migrated_name")))
    path = tmp_path / "var" / "test.db"
    copy_migrated(path)
    return Place(request.param, f"sqlite:///{path}")


@pytest.fixture
def database(place: Place) -> Iterator[Database]:
    """A database of each kind, open."""
    database = place.open()
    yield database
    database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()
