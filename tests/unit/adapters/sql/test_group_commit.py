"""Writes of several threads in one transaction: no database needed, for it is about who waits for whom."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from sqlalchemy import Connection, create_engine

from adapters.sql.group_commit import GroupCommit

pytestmark = pytest.mark.slow

Write = Callable[[Connection], object]
COMPANY = range(1, 8)


class Transactions:
    """Keeps what is written together; the first one waits, once it has written, until it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.failure: BaseException | None = None
        self.written, self.let_go = Event(), Event()
        self.attempts = 1
        self._connection = create_engine("sqlite://").connect()

    def transact(self, write: Write) -> None:
        for _ in range(self.attempts):
            write(self._connection)
        self.written.set()
        assert self.let_go.wait(60)
        if self.failure:
            raise self.failure

    def write(self, _: Connection, items: Sequence[int]) -> list[int]:
        self.groups.append(list(items))
        return [10 * item for item in items]


@contextmanager
def company_during_the_first_commit(
    transactions: Transactions, commit: GroupCommit[int, int]
) -> Iterator[list["Future[int]"]]:
    """One thread commits, and the others have come meanwhile; all are let go at the end."""
    with ThreadPoolExecutor(1 + len(COMPANY)) as threads:
        first = threads.submit(commit, 0)
        assert transactions.written.wait(60)
        others = [threads.submit(commit, number) for number in COMPANY]
        while len(commit._waiting) < len(COMPANY):
            Event().wait(0.001)
        yield [first, *others]
        transactions.let_go.set()


@pytest.fixture
def transactions() -> Transactions:
    return Transactions()


@pytest.fixture
def commit(transactions: Transactions) -> GroupCommit[int, int]:
    return GroupCommit(transactions.transact, transactions.write)


def test_who_comes_alone_writes_at_once(transactions: Transactions, commit: GroupCommit[int, int]) -> None:
    transactions.let_go.set()

    assert [commit(1), commit(2)] == [10, 20]
    assert transactions.groups == [[1], [2]]


def test_those_who_come_during_a_commit_share_the_next_one(
    transactions: Transactions, commit: GroupCommit[int, int]
) -> None:
    with company_during_the_first_commit(transactions, commit) as answers:
        pass

    assert [answer.result(60) for answer in answers] == [0, *(10 * number for number in COMPANY)]
    assert [len(group) for group in transactions.groups] == [1, len(COMPANY)]


def test_nobody_is_answered_before_the_commit(
    transactions: Transactions, commit: GroupCommit[int, int]
) -> None:
    with company_during_the_first_commit(transactions, commit) as answers:
        assert not any(answer.done() for answer in answers)


def test_a_failure_is_the_groups_and_those_who_waited_meanwhile(
    transactions: Transactions, commit: GroupCommit[int, int]
) -> None:
    """They have waited as long for the database as it took to fail."""
    transactions.failure = ValueError("full")

    with company_during_the_first_commit(transactions, commit) as answers:
        pass

    assert [type(answer.exception(10)) for answer in answers] == [ValueError] * len(answers)
    assert transactions.groups == [[0]]
    transactions.failure = None
    assert commit(9) == 90


def test_a_write_that_is_repeated_writes_the_same_again(
    transactions: Transactions, commit: GroupCommit[int, int]
) -> None:
    transactions.attempts = 2
    transactions.let_go.set()

    assert commit(3) == 30
    assert transactions.groups == [[3], [3]]
