"""Failures and interruptions of a redrive, which lose no message."""

import itertools

import pytest

from domain.model.errors import InfrastructureError
from domain.model.messages.dead_letter import Selection
from tests.support.doubles.queue import Killed, failing_with
from tests.support.harness.dead_letters import Ground

ALL = Selection()
BY_HAND = Selection(limit=1000)


@pytest.mark.parametrize("operation", ["receive", "delete"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_being_killed_around_any_call_loses_nothing(
    ground: Ground, operation: str, when: str, call: int
) -> None:
    ground.fill_with_events(25)
    before = ground.everything()
    countdown = itertools.count(1)

    def kill() -> None:
        if next(countdown) == call:
            raise Killed

    getattr(ground.dead_letters, when)[operation] = kill
    with pytest.raises(Killed):
        ground.redrive().run(BY_HAND)

    assert set(ground.everything()) == set(before)
    assert len(ground.everything()) <= 25 + 10
    ground.clock.advance(121)
    assert ground.redrive().run(BY_HAND).ok
    assert set(ground.queue.bodies()) == set(before)
    assert ground.dead_letters.bodies() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_being_killed_around_the_copy_loses_nothing(ground: Ground, when: str) -> None:
    ground.fill_with_events(25)
    before = ground.everything()
    getattr(ground.queue, when)["resend"] = failing_with(Killed())

    with pytest.raises(Killed):
        ground.redrive().run(BY_HAND)

    assert ground.dead_letters.bodies() == before


def test_an_interruption_releases_what_is_held_and_ends_the_move(ground: Ground) -> None:
    ground.fill_with_events(25)
    redrive = ground.redrive()
    redrive._pause = lambda _: failing_with(KeyboardInterrupt())()

    outcome = redrive.run(ALL)

    assert (outcome.moved, outcome.problem, outcome.ok) == (10, "it was interrupted", False)
    assert not ground.move_task.running
    assert ground.dead_letters.depth() == (15, 0)


def test_a_message_that_cannot_be_copied_stays_and_does_not_stop_the_others(ground: Ground) -> None:
    ground.fill_with_events(25)
    ground.queue.refuse_copies = 3

    outcome = ground.redrive().run(BY_HAND)

    assert (outcome.moved, outcome.failed, outcome.ok) == (22, 3, False)
    assert "could not be copied: AccessDenied" in outcome.problem
    assert ground.dead_letters.depth() == (3, 0)


def test_a_queue_that_takes_nothing_ends_the_redrive_soon(ground: Ground) -> None:
    ground.fill_with_events(100)
    ground.queue.refuse_copies = -1

    outcome = ground.redrive().run(BY_HAND)

    assert (outcome.moved, outcome.failed) == (0, 20)
    assert ground.dead_letters.depth() == (100, 0)


def test_receipts_that_expired_are_counted_as_duplicates(ground: Ground) -> None:
    ground.fill_with_events(11)
    forgotten = itertools.count()

    def forget_one() -> None:
        if next(forgotten) == 1:
            stored = next(one for one in ground.dead_letters._stored if one.receipts)
            stored.receipts.clear()

    ground.queue.after["resend"] = forget_one

    outcome = ground.redrive().run(BY_HAND)

    assert (outcome.moved, outcome.undeleted, outcome.ok) == (11, 1, False)
    assert len(ground.dead_letters.bodies()) == 1


def test_deletions_that_fail_end_the_redrive_soon_and_are_told(ground: Ground) -> None:
    ground.fill_with_events(100)
    ground.dead_letters.before["delete"] = ground.forget_receipts

    outcome = ground.redrive().run(BY_HAND)

    assert (outcome.moved, outcome.undeleted) == (20, 20)
    assert len(ground.dead_letters.bodies()) == 100


def test_an_error_on_the_way_tells_what_was_moved_before(ground: Ground) -> None:
    ground.fill_with_events(25)
    rounds = itertools.count()

    def expire() -> None:
        if next(rounds) == 2:
            raise InfrastructureError("ExpiredToken")

    ground.dead_letters.before["receive"] = expire

    outcome = ground.redrive().run(BY_HAND)

    assert (outcome.moved, outcome.problem) == (20, "ExpiredToken")
    assert ground.dead_letters.depth() == (5, 0)


def test_a_move_that_fails_half_way_is_finished_by_hand(ground: Ground) -> None:
    ground.fill_with_events(25)
    ground.move_task.fails_once_at = 2

    outcome = ground.redrive().run(ALL)

    assert (outcome.moved, outcome.ok) == (25, True)
    assert ground.dead_letters.bodies() == []
