"""The queue and the move task of other tests, bound to the contracts of their ports."""

import pytest

from domain.model.errors import InfrastructureError
from domain.model.messages.message import Attributes
from ports.queue_port import QueuePort
from tests.contracts.move_task_port import Ground, MoveTaskPortContract
from tests.contracts.queue_port import QueuePortContract, Send
from tests.support.doubles.queue import BreakingQueue, Clock, InMemoryMoveTask, InMemoryQueue


class TestInMemoryQueue(QueuePortContract):
    @pytest.fixture
    def dead_letters(self) -> InMemoryQueue:
        return InMemoryQueue(Clock())

    @pytest.fixture
    def queue(self, dead_letters: QueuePort) -> InMemoryQueue:
        assert isinstance(dead_letters, InMemoryQueue)
        return InMemoryQueue(Clock(), dead_letters=dead_letters)

    @pytest.fixture
    def send(self, queue: QueuePort) -> Send:
        assert isinstance(queue, InMemoryQueue)

        def send(body: str) -> None:
            queue.send(body, Attributes(trace="Root=1"))

        return send


class TestBreakingQueue(TestInMemoryQueue):
    """Keeps the contract while no fault is configured."""

    @pytest.fixture
    def queue(self, dead_letters: QueuePort) -> InMemoryQueue:
        assert isinstance(dead_letters, InMemoryQueue)
        return BreakingQueue(Clock(), dead_letters=dead_letters)


class TestInMemoryMoveTask(MoveTaskPortContract):
    @pytest.fixture
    def moving(self) -> Ground:
        clock = Clock()
        source, target = InMemoryQueue(clock), InMemoryQueue(clock)
        broken = InMemoryMoveTask(source, target)
        broken.refusal = InfrastructureError("there is no such queue")

        def fill(count: int) -> None:
            for number in range(count):
                source.send(str(number))

        return Ground(InMemoryMoveTask(source, target), source, target, fill, broken)
