"""Bell of this process: the contract, and the bell of others behind it."""

from uuid import UUID, uuid4

import pytest

from adapters.in_memory import InProcessBell
from tests.contracts.job_bell_port import Bell, JobBellPortContract


class TestInProcessBell(JobBellPortContract):
    @pytest.fixture
    def rung(self) -> Bell:
        heard: list[UUID] = []
        bell = InProcessBell()
        bell.listen(heard.append)
        return Bell(bell, "cpu", lambda: heard, InProcessBell)


def test_other_processes_hear_what_this_one_hears() -> None:
    heard: list[UUID] = []
    others = InProcessBell()
    others.listen(heard.append)
    bell, first, second = InProcessBell(others), uuid4(), uuid4()

    bell.ring(first, "cpu")
    bell.ring_again([(second, "cpu")])

    assert heard == [first, second]


def test_a_worker_that_has_left_hears_nothing() -> None:
    heard: list[UUID] = []
    bell = InProcessBell()
    bell.listen(heard.append)
    bell.listen(None)

    bell.ring(uuid4(), "cpu")

    assert heard == []
