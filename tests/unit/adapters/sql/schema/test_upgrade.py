"""Migrations: the resulting schema, and several processes that start at once."""

import logging
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, text

from adapters.sql.database import Database
from adapters.sql.engines.factory import engine_for
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.processed_events.processed_events import SqlProcessedEvents
from adapters.sql.schema.indexes import metadata
from adapters.sql.schema.tables import SCHEMA_REVISION
from adapters.sql.schema.upgrade import revision, upgrade_schema
from domain.model.consuming.lease import EventKey, LeaseStatus, ProcessingLease
from domain.model.errors import ConfigurationError
from tests.support.databases.databases import Place
from tests.support.databases.processes import run_together
from tests.support.samples.factories import an_event


def test_the_migrations_create_the_tables_of_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_revision_in_the_code_is_the_newest() -> None:
    config = Config()
    config.set_main_option("script_location", "adapters.sql:migrations")

    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_REVISION


def test_a_database_that_is_up_to_date_is_only_read(database: Database) -> None:
    said: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: said.append(told[2]))

    upgrade_schema(database)

    beginnings = [statement for statement in said if statement.startswith("BEGIN")]
    others = [statement for statement in said if statement not in beginnings]
    assert {statement.split()[0] for statement in others} <= {"PRAGMA", "SELECT"}
    assert not [statement for statement in beginnings if "IMMEDIATE" in statement]
    assert not [statement for statement in others if "lock" in statement]
    with database.engine.connect() as connection:
        assert revision(connection) == SCHEMA_REVISION


@pytest.mark.process
@pytest.mark.parametrize("kind", ["sqlite_place", "postgresql_place"])
def test_several_processes_may_start_together(request: pytest.FixtureRequest, kind: str) -> None:
    place: Place = request.getfixturevalue(kind)

    assert run_together(8, "prepare", place.url) == ["ready"] * 8

    database = place.open()
    with database.engine.connect() as connection:
        versions = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    assert versions == [SCHEMA_REVISION]
    database.close()


@pytest.mark.parametrize(
    "kind", ["sqlite_place", pytest.param("postgresql_place", marks=pytest.mark.process)]
)
def test_a_database_of_the_first_version_keeps_its_events(
    request: pytest.FixtureRequest, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "adapters.sql.schema.upgrade")
    place: Place = request.getfixturevalue(kind)
    engine, event = engine_for(place.url), an_event()
    with engine.begin() as connection:
        _migrate(connection, "0001")
        connection.execute(
            text(
                "INSERT INTO outbox VALUES"
                " (:id, :tenant, 'waiting', 0, 0, 0, NULL, 0, NULL, NULL, NULL, :event)"
            ),
            {"id": event.interaction_id.hex, "tenant": event.tenant_id.hex, "event": event.to_json()},
        )
    engine.dispose()

    database = place.open()
    record = SqlOutbox(database).find(event.interaction_id)
    with database.engine.connect() as connection:
        assert revision(connection) == SCHEMA_REVISION
    database.close()

    assert record
    assert record.event == event
    (told,) = [line.__dict__ for line in caplog.records if line.message == "database migrated"]
    assert (told["schema_before"], told["schema"]) == ("0001", SCHEMA_REVISION)


@pytest.mark.parametrize(
    "kind", ["sqlite_place", pytest.param("postgresql_place", marks=pytest.mark.process)]
)
def test_events_that_an_older_version_has_handled_stay_handled(
    request: pytest.FixtureRequest, kind: str
) -> None:
    place: Place = request.getfixturevalue(kind)
    engine, done, taken = engine_for(place.url), uuid4(), uuid4()
    with engine.begin() as connection:
        _migrate(connection, "0003")
        connection.execute(
            text("INSERT INTO processed_events VALUES ('crm', :id, '', 1e12)"), {"id": done.hex}
        )
        connection.execute(
            text("INSERT INTO event_holds VALUES ('crm', :id, 'again', :token, 1e12)"),
            {"id": taken.hex, "token": uuid4().hex},
        )
    engine.dispose()

    database = place.open()
    keys = [EventKey("BatchProcessingCompleted", done), EventKey("BatchProcessingCompleted", taken, "again")]
    port = SqlProcessedEvents(database, group="crm")
    known = port.acquire(keys, lease_seconds=60)
    failures = port.acquire(
        [key._replace(detail_type="BatchProcessingFailed") for key in keys], lease_seconds=60
    )
    database.close()

    assert known == (LeaseStatus.COMPLETED, LeaseStatus.IN_PROGRESS)
    assert all(isinstance(answer, ProcessingLease) for answer in failures)


def _migrate(connection: Connection, version: str) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "adapters.sql:migrations")
    command.upgrade(config, version)


def test_a_new_database_logs_no_migration(sqlite_place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "adapters.sql.schema.upgrade")

    sqlite_place.open().close()

    assert "database migrated" not in caplog.messages


def test_a_database_of_a_newer_version_stops_the_start(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigurationError, match=r"DATABASE_URL names a database of a newer version.*9999"):
        upgrade_schema(database)


def test_a_migration_leaves_logging_alone(sqlite_place: Place, caplog: pytest.LogCaptureFixture) -> None:
    before = logging.root.handlers[:]

    sqlite_place.open().close()

    assert logging.root.handlers == before
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
