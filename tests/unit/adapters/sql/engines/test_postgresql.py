"""PostgreSQL only: time limits, restarts, killed backends, and commits whose answer is lost."""

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import psycopg
import pytest

from adapters.sql.database import Database
from adapters.sql.engines.postgresql import TRANSACTION_LIMITS
from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.factories.database import prepare_database
from domain.model.errors import OutboxUnavailableError
from domain.model.outbox import OutboxState, Published
from tests.support.databases.databases import Place, PostgreSqlServer, own_postgresql_server
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.process


@pytest.fixture
def database(postgresql_place: Place) -> Iterator[Database]:
    database = postgresql_place.open()
    yield database
    database.close()


@pytest.fixture
def own_server() -> Iterator[PostgreSqlServer]:
    """A server that no other test uses."""
    with own_postgresql_server() as server:
        yield server


class Load:
    """Adds and publishes events in a thread, and records the confirmed ones."""

    def __init__(self, database: Database) -> None:
        self.port = SqlOutbox(database)
        self.kept: list[UUID] = []
        self.refused = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                self.kept.append(self.port.add(an_event()).interaction_id)
                leases = self.port.lease_due(3, lease_seconds=60)
                self.port.record([Published(lease, "receipt") for lease in leases])
            except OutboxUnavailableError:
                self.refused += 1

    def wait_for_more(self, count: int = 20) -> None:
        """Wait until this many more events are stored."""
        enough = len(self.kept) + count
        while len(self.kept) < enough and self._thread.is_alive():
            self._stopped.wait(0.001)

    def lost(self) -> set[UUID]:
        records = self.port.records(limit=100_000)
        assert {record.state for record in records} <= {OutboxState.WAITING, OutboxState.PUBLISHED}
        return set(self.kept) - {record.interaction_id for record in records}


def test_every_transaction_has_limits(database: Database) -> None:
    connections = [database.engine.connect() for _ in range(3)]

    for connection in connections:
        found = {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in TRANSACTION_LIMITS}
        assert found == TRANSACTION_LIMITS
        connection.close()


def test_a_server_that_crashes_and_restarts_loses_nothing(own_server: PostgreSqlServer) -> None:
    database = prepare_database(own_server.new_url())
    with Load(database) as load:
        for _ in range(2):
            load.wait_for_more()
            own_server.restart_at_once()
        load.wait_for_more()

    assert load.lost() == set()
    database.close()


def test_killed_backends_lose_nothing(postgresql: PostgreSqlServer, database: Database) -> None:
    with Load(database) as load:
        for _ in range(10):
            load.wait_for_more(5)
            postgresql.kill_backends(str(database.engine.url))
        load.wait_for_more()

    assert load.lost() == set()


def test_connections_that_died_while_idle_are_replaced(
    postgresql: PostgreSqlServer, database: Database
) -> None:
    port = SqlOutbox(database)
    port.add(an_event())
    postgresql.kill_backends(str(database.engine.url))

    assert len(port.lease_due(1, lease_seconds=60)) == 1


class LostAnswers:
    """Loses the answer to commits: the connection breaks just before or just after the commit."""

    def __init__(self, commit: Callable[[Any], None], *, times: int, is_done: bool) -> None:
        self._commit = commit
        self._times = times
        self._is_done = is_done

    def __call__(self, connection: Any) -> None:
        if self._times == 0:
            self._commit(connection)
            return
        self._times -= 1
        if self._is_done:
            self._commit(connection)
        connection.driver_connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")


def lose_answers(database: Database, *, times: int, is_done: bool) -> None:
    dialect: Any = database.engine.dialect
    dialect.do_commit = LostAnswers(dialect.do_commit, times=times, is_done=is_done)


@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("times", [1, 3])
def test_a_commit_whose_answer_was_lost_is_confirmed(
    database: Database, times: int, *, is_done: bool
) -> None:
    port = SqlOutbox(database)
    lose_answers(database, times=times, is_done=is_done)

    lease = port.add(an_event(), lease_seconds=60)

    assert port.counts().waiting == 1
    assert port.record([Published(lease, "receipt")]) == 1


def test_a_commit_that_stays_unknown_is_a_failure(database: Database) -> None:
    port = SqlOutbox(Database(database.engine, confirm_seconds=0.2))
    lose_answers(database, times=1000, is_done=True)

    with pytest.raises(OutboxUnavailableError):
        port.add(an_event())


def test_a_server_that_was_never_there_is_a_failure_at_once(tmp_path: Path) -> None:
    with pytest.raises(OutboxUnavailableError, match="OperationalError: connection ") as caught:
        prepare_database(f"postgresql+psycopg://someone:hunter2@/name?host={tmp_path}")

    assert "hunter2" not in str(caught.value)


def test_values_in_messages_of_the_server_are_not_repeated(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE outbox ADD CHECK (event NOT LIKE '%%')")

    with pytest.raises(OutboxUnavailableError) as caught:
        SqlOutbox(database).add(an_event(raw_transcript="a secret"))

    assert str(caught.value) == "database error: CheckViolation (23514)"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(("setting", "warnings"), [("off", 1), ("on", 0)])
def test_unsafe_settings_are_logged(
    postgresql: PostgreSqlServer,
    postgresql_place: Place,
    caplog: pytest.LogCaptureFixture,
    setting: str,
    warnings: int,
) -> None:
    name = postgresql_place.url.partition("?")[0].rpartition("/")[2]
    postgresql.run(f"ALTER DATABASE {name} SET synchronous_commit = {setting}")

    with caplog.at_level(logging.WARNING):
        prepare_database(postgresql_place.url).close()

    found = [record.__dict__["setting"] for record in caplog.records]
    assert found == ["synchronous_commit"] * warnings


def test_connections_to_a_read_only_server_are_dropped(database: Database) -> None:
    """After a fail-over, old connections lead to the new replica, new ones to the new primary."""
    port = SqlOutbox(database)

    def fail_over() -> None:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            connection.commit()

    fail_over()
    port.add(an_event())
    fail_over()
    with pytest.raises(OutboxUnavailableError, match="ReadOnlySqlTransaction"):
        port.lease_due(1, lease_seconds=60)

    assert len(port.lease_due(1, lease_seconds=60)) == 1
