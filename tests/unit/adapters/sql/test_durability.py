import pytest
from sqlalchemy import event

from adapters.sql.database import Database
from adapters.sql.durability import durability_report
from adapters.sql.engines.factory import engine_for
from adapters.sql.schema.tables import SCHEMA_REVISION
from tests.support.databases.databases import Place


def test_a_database_with_default_settings_is_durable(database: Database) -> None:
    condition = durability_report(database)

    assert condition.unsafe == ()
    assert condition.schema == SCHEMA_REVISION


def test_the_report_on_sqlite_has_its_journal_and_sync_modes(sqlite_place: Place) -> None:
    database = sqlite_place.open()

    assert durability_report(database).settings == {"journal_mode": "wal", "synchronous": "FULL"}
    database.close()


def test_sqlite_that_does_not_sync_is_unsafe(sqlite_place: Place) -> None:
    database = sqlite_place.open()
    database.close()
    event.listen(
        database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=NORMAL")
    )

    condition = durability_report(database)

    assert condition.settings["synchronous"] == "NORMAL"
    assert condition.unsafe == ("synchronous",)
    database.close()


@pytest.mark.process
def test_the_report_on_postgresql_has_its_version_and_sync_settings(postgresql_place: Place) -> None:
    database = postgresql_place.open()

    settings = durability_report(database).settings

    assert int(settings.pop("server_version").split(".")[0]) >= 15
    assert settings == {"fsync": "on", "synchronous_commit": "on"}
    database.close()


def test_a_database_without_tables_has_no_schema_and_stays_empty(empty_place: Place) -> None:
    database = Database(engine_for(empty_place.url))

    assert [durability_report(database).schema for _ in range(2)] == [None, None]
    database.close()
