"""Fixtures for tests on databases."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSqlServer]:
    """Start the server that the processes of this test run share."""
    with postgresql_server(Path(os.environ[SHARED_FOLDER])) as server:
        yield server


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    return Place("sqlite", f"sqlite:///{tmp_path}/var/test.db")


@pytest.fixture
def postgresql_place(postgresql: PostgreSqlServer) -> Place:
    return Place(POSTGRESQL, postgresql.new_url())


@pytest.fixture(params=[*LIBRARIES, pytest.param(POSTGRESQL, marks=pytest.mark.process)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty database of each kind."""
    if request.param == POSTGRESQL:
        server: PostgreSqlServer = request.getfixturevalue("postgresql")
        return Place(POSTGRESQL, server.new_url())
    return Place(request.param, f"sqlite:///{tmp_path}/var/test.db")


@pytest.fixture
def database(place: Place) -> Iterator[Database]:
    """A database of each kind, ready for use."""
    database = place.open()
    yield database
    database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()
