"""Contract of `MoveTaskPort`."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from domain.model.errors import InfrastructureError
from ports.move_task_port import MoveProgress, MoveTaskPort
from ports.queue_port import QueuePort
from tests.support.harness.service import wait_until


@dataclass(frozen=True)
class Ground:
    """A dead-letter queue, its queue, and the move task between them."""

    move_task: MoveTaskPort
    source: QueuePort
    target: QueuePort
    fill: Callable[[int], None]
    broken: MoveTaskPort
    """Move task of a dead-letter queue that does not exist."""


def _moved(ground: Ground) -> MoveProgress:
    wait_until(lambda: not ground.move_task.progress().running)
    return ground.move_task.progress()


class MoveTaskPortContract:
    """Bound by each adapter of `MoveTaskPort`."""

    def test_everything_is_moved(self, moving: Ground) -> None:
        moving.fill(12)

        moving.move_task.start()

        assert _moved(moving) == MoveProgress(running=False, moved=12, total=12)
        assert moving.source.depth() == (0, 0)
        assert moving.target.depth() == (12, 0)

    def test_nothing_to_move_is_moved(self, moving: Ground) -> None:
        moving.move_task.start()

        assert _moved(moving).moved == 0

    def test_cancelling_loses_nothing_and_may_come_late(self, moving: Ground) -> None:
        moving.fill(12)

        moving.move_task.start()
        moving.move_task.cancel()
        _moved(moving)
        moving.move_task.cancel()

        assert moving.source.depth().waiting + moving.target.depth().waiting == 12

    def test_one_that_cannot_begin_says_so(self, moving: Ground) -> None:
        with pytest.raises(InfrastructureError):
            moving.broken.start()
