"""A database file that is moved, deleted or replaced while it is in use: no write is lost silently."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from adapters.sql.database import Database
from adapters.sql.outbox.outbox import SqlOutbox
from domain.model.errors import OutboxUnavailableError
from domain.model.outbox import Published
from tests.support.databases.databases import Place
from tests.support.samples.factories import an_event


@pytest.fixture
def path(sqlite_place: Place) -> Path:
    return Path(sqlite_place.url.removeprefix("sqlite:///"))


@pytest.fixture
def database(sqlite_place: Place) -> Iterator[Database]:
    """A database with several connections, as after some time of use."""
    database = sqlite_place.open()
    for connection in [database.engine.connect() for _ in range(3)]:
        connection.close()
    yield database
    database.close()


def files_of(path: Path) -> list[Path]:
    return list(path.parent.glob(f"{path.name}*"))


def delete(path: Path) -> None:
    for file in files_of(path):
        file.unlink()


def move(path: Path, to: Path) -> None:
    to.mkdir()
    for file in files_of(path):
        file.rename(to / file.name)


CALLS: dict[str, Callable[[SqlOutbox], object]] = {
    "add": lambda port: port.add(an_event()),
    "lease": lambda port: port.lease_due(10, lease_seconds=60),
    "counts": lambda port: port.counts(),
    "due": lambda port: port.seconds_until_due(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_deleted_file_is_reported_at_once_and_not_created_again(
    database: Database, path: Path, call: Callable[[SqlOutbox], object]
) -> None:
    port = SqlOutbox(database)
    port.add(an_event())
    delete(path)

    for _ in range(3):
        with pytest.raises(OutboxUnavailableError, match=r"test.db is gone .*put it back, or restart"):
            call(port)
    assert files_of(path) == []


def test_an_outcome_is_not_recorded_into_a_file_that_was_deleted(database: Database, path: Path) -> None:
    port = SqlOutbox(database)
    lease = port.add(an_event(), lease_seconds=60)
    delete(path)

    with pytest.raises(OutboxUnavailableError):
        port.record([Published(lease, "receipt")])


def test_a_file_that_was_moved_and_put_back_is_used_again(
    database: Database, path: Path, tmp_path: Path
) -> None:
    port = SqlOutbox(database)
    lease = port.add(an_event())
    move(path, tmp_path / "elsewhere")
    with pytest.raises(OutboxUnavailableError):
        port.add(an_event())
    for file in (tmp_path / "elsewhere").iterdir():
        file.rename(path.parent / file.name)

    port.add(an_event())

    assert lease.interaction_id in {each.interaction_id for each in port.lease_due(10, lease_seconds=60)}
    assert port.counts().waiting == 2


def test_a_file_that_another_process_made_anew_is_used_and_the_loss_is_logged(
    database: Database, path: Path, sqlite_place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    port = SqlOutbox(database)
    port.add(an_event())
    delete(path)
    other = sqlite_place.open()
    theirs = SqlOutbox(other).add(an_event())

    ours = port.add(an_event())

    waiting = {theirs.interaction_id, ours.interaction_id}
    assert {record.interaction_id for record in SqlOutbox(other).records()} == waiting
    assert {lease.interaction_id for lease in port.lease_due(10, lease_seconds=60)} == waiting
    assert [record.message for record in caplog.records] == [
        "the database file was replaced: events waiting in the previous file will not be delivered"
    ]
    other.close()


def test_a_replacement_without_tables_is_reported(database: Database, path: Path) -> None:
    delete(path)
    path.touch()

    with pytest.raises(OutboxUnavailableError, match="no such table"):
        SqlOutbox(database).add(an_event())


def replace(path: Path) -> None:
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").rename(path)


@pytest.mark.parametrize(
    ("happens", "told"), [(delete, "is gone"), (replace, "was replaced while it was in use")]
)
def test_a_file_that_goes_away_during_a_commit_fails_the_transaction(
    database: Database, path: Path, happens: Callable[[Path], None], told: str
) -> None:
    event.listen(database.engine, "commit", lambda _: happens(path))

    with pytest.raises(OutboxUnavailableError, match=told):
        SqlOutbox(database).add(an_event())
