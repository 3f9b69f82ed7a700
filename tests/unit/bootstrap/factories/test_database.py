import logging
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from adapters.sql.engines.factory import engine_for
from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.factories.database import prepare_database
from domain.model.errors import ConfigurationError
from tests.support.harness.service import container_for
from tests.support.samples.factories import an_event


def test_a_relative_path_counts_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    prepare_database("sqlite:///var/transcripts.db").close()

    assert (tmp_path / "var/transcripts.db").is_file()


def test_what_was_added_is_there_at_the_next_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/transcripts.db"
    first = prepare_database(url)
    lease = SqlOutbox(first).add(an_event())
    first.close()

    second = prepare_database(url)

    record = SqlOutbox(second).find(lease.interaction_id)
    assert record
    assert record.event == lease.event
    second.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "transcripts.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file.db?mode=memory&uri=true",
        "mysql://someone:hunter2@host/name",
        "postgresql://someone:hunter2@host/name",
        "postgres://someone:hunter2@host/name",
        "postgresql+psycopg://someone:hunter2@host",
        "postgresql+psycopg://someone:x@hunter2@host/name",
        "postgresql+psycopg://someone:hunter2@host:port/name",
        "hunter2",
    ],
)
def test_any_other_form_names_the_variable_and_hides_the_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL must have the form sqlite:///") as caught:
        prepare_database(url)

    assert "hunter2" not in str(caught.value)


def test_the_way_a_url_begins_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"it begins with mysql://$"):
        prepare_database("mysql://someone:hunter2@host/name")


def test_a_file_that_cannot_be_made_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigurationError, match=r"DATABASE_URL: .*/file/test.db cannot be opened: "):
        prepare_database(f"sqlite:///{tmp_path}/file/test.db")


def test_a_network_file_system_is_refused_unless_it_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "bootstrap.factories.database.engine_for", partial(engine_for, file_system_of=lambda _: "nfs4")
    )
    refusing = container_for(tmp_path / "spool")
    allowing = container_for(tmp_path / "spool", DATABASE_ALLOW_NETWORK_FILE_SYSTEM="true")

    with pytest.raises(ConfigurationError, match="type nfs4"):
        refusing.database()
    allowing.database().close()


def test_sqlite_is_warned_about_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    prepare_database(f"sqlite:///{tmp_path}/test.db").close()

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


WHAT_A_START_IMPORTS = """
import sys
from bootstrap.container import build_container
from bootstrap.settings import Settings

container = build_container(Settings.from_env({"DATABASE_URL": sys.argv[1]}))
container.outbox().counts(), container.idempotency(), container.processed_events(group="crm")
rare = ("alembic", "psycopg", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm")
print([name for name in rare if name in sys.modules])
"""


@pytest.mark.process
def test_a_start_on_an_sqlite_that_is_up_to_date_imports_neither_alembic_nor_what_postgresql_needs(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/transcripts.db"
    prepare_database(url).close()

    result = subprocess.run(
        [sys.executable, "-c", WHAT_A_START_IMPORTS, url], capture_output=True, text=True, check=True
    )

    assert result.stdout == "[]\n"
