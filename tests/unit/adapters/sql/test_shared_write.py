"""Concurrent writes share a transaction: who waits for whom, and what a failure ends."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from adapters.sql.database import Database, SharedWrite
from adapters.sql.engines.sqlite import sqlite_engine
from domain.model.errors import OutboxUnavailableError
from tests.support.harness.service import wait_until

pytestmark = pytest.mark.slow

COMPANY = range(1, 8)


class Commits:
    """Records the groups that are written; the first commit waits until it is released."""

    def __init__(self, path: Path) -> None:
        self.groups: list[list[int]] = []
        self.fails = False
        self.committing, self.released = Event(), Event()
        self.database = Database(sqlite_engine(path))
        event.listen(self.database.engine, "commit", self._commit)

    def write(self, _: Connection, items: Sequence[int]) -> list[int]:
        self.groups.append(list(items))
        return [10 * item for item in items]

    def _commit(self, _: Connection) -> None:
        self.committing.set()
        assert self.released.wait(60)
        if self.fails:
            raise OperationalError("COMMIT", None, Exception("disk full"))


@contextmanager
def company_during_the_first_commit(
    commits: Commits, write: SharedWrite[int, int]
) -> Iterator[list["Future[int]"]]:
    """One thread commits while the others arrive; the commit is released at the end."""
    with ThreadPoolExecutor(1 + len(COMPANY)) as threads:
        first = threads.submit(write, 0)
        assert commits.committing.wait(60)
        others = [threads.submit(write, number) for number in COMPANY]
        wait_until(lambda: write.waiting == len(COMPANY))
        yield [first, *others]
        commits.released.set()


@pytest.fixture
def commits(tmp_path: Path) -> Iterator[Commits]:
    commits = Commits(tmp_path / "transcripts.db")
    yield commits
    commits.database.close()


@pytest.fixture(params=[False, True], ids=["plain", "confirmed"])
def write(commits: Commits, request: pytest.FixtureRequest) -> SharedWrite[int, int]:
    return commits.database.shared_write(commits.write, OutboxUnavailableError, confirmed=request.param)


def test_a_thread_that_comes_alone_writes_at_once(commits: Commits, write: SharedWrite[int, int]) -> None:
    commits.released.set()

    assert [write(1), write(2)] == [10, 20]
    assert commits.groups == [[1], [2]]


def test_threads_that_come_during_a_commit_share_the_next_one(
    commits: Commits, write: SharedWrite[int, int]
) -> None:
    with company_during_the_first_commit(commits, write) as answers:
        pass

    assert [answer.result(60) for answer in answers] == [0, *(10 * number for number in COMPANY)]
    assert [len(group) for group in commits.groups] == [1, len(COMPANY)]


def test_no_thread_is_answered_before_the_commit(commits: Commits, write: SharedWrite[int, int]) -> None:
    with company_during_the_first_commit(commits, write) as answers:
        assert not any(answer.done() for answer in answers)


def test_a_failure_is_the_failure_of_the_group_and_of_those_that_waited(
    commits: Commits, write: SharedWrite[int, int]
) -> None:
    """The waiting threads have waited as long for the database as it took to fail."""
    commits.fails = True

    with company_during_the_first_commit(commits, write) as answers:
        pass

    assert {type(answer.exception(60)) for answer in answers} == {OutboxUnavailableError}
    assert commits.groups == [[0]]
    commits.fails = False
    assert write(9) == 90
