"""What every memory of worked off events keeps to: the sentences of `ProcessedEventsPort`'s docstrings.

A store binds the contract by subclassing it and providing the fixture `memory`.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import pytest

from domain.model.consuming.lease import EventKey, Hold, Standing
from domain.model.errors import ProcessedEventsUnavailableError
from ports.processed_events_port import ProcessedEventsPort
from tests.databases import Clock

DAY = 86_400
MONTH = 28 * DAY


@dataclass(frozen=True)
class Memory:
    """A memory with its clock, and that of another group in the same store."""

    port: ProcessedEventsPort
    clock: Clock
    others: ProcessedEventsPort
    broken: Callable[[], ProcessedEventsPort] | None = None

    def hold(self, key: EventKey) -> Hold:
        """Hold an event that is free."""
        (hold,) = self.port.claim([key], lease_seconds=60)
        assert isinstance(hold, Hold)
        return hold

    def standing(self, key: EventKey) -> Hold | Standing:
        """How an event stands, for another consumer of the group."""
        return self.port.claim([key], lease_seconds=60)[0]


def a_key(replay: str | None = None) -> EventKey:
    return EventKey(uuid4(), replay)


class ProcessedEventsPortContract:
    """Bound by each adapter of `ProcessedEventsPort`."""

    def test_a_new_event_may_be_worked_off_by_one(self, memory: Memory) -> None:
        key = a_key()

        assert memory.hold(key).key == key
        assert memory.standing(key) is Standing.TAKEN

    def test_what_was_worked_off_is_done(self, memory: Memory) -> None:
        key = a_key()
        memory.port.finish([memory.hold(key)], remember_seconds=MONTH)

        assert memory.standing(key) is Standing.DONE

    def test_what_is_done_is_remembered_for_as_long_as_asked_and_no_longer(self, memory: Memory) -> None:
        key = a_key()
        hold = memory.hold(key)
        memory.clock.advance(30)
        memory.port.finish([hold], remember_seconds=MONTH)

        memory.clock.advance(MONTH - 1)
        assert memory.standing(key) is Standing.DONE
        memory.clock.advance(1)
        assert isinstance(memory.standing(key), Hold)

    def test_many_are_answered_in_their_order(self, memory: Memory) -> None:
        done, taken, new = a_key(), a_key(), a_key()
        memory.port.finish([memory.hold(done)], remember_seconds=MONTH)
        memory.hold(taken)

        answer = memory.port.claim([taken, new, done], lease_seconds=60)

        assert (answer[0], answer[2]) == (Standing.TAKEN, Standing.DONE)
        assert isinstance(answer[1], Hold)
        assert answer[1].key == new

    def test_of_the_same_key_twice_the_second_is_taken(self, memory: Memory) -> None:
        key = a_key()

        first, second = memory.port.claim([key, key], lease_seconds=60)

        assert isinstance(first, Hold)
        assert second is Standing.TAKEN

    def test_a_replay_is_another_event_and_each_replay_another_one(self, memory: Memory) -> None:
        key = a_key()
        memory.port.finish([memory.hold(key)], remember_seconds=MONTH)
        again = EventKey(key.interaction_id, "after-the-outage")
        memory.port.finish([memory.hold(again)], remember_seconds=MONTH)

        assert isinstance(memory.standing(EventKey(key.interaction_id, "once-more")), Hold)
        assert memory.standing(again) is Standing.DONE

    def test_another_group_has_a_memory_of_its_own(self, memory: Memory) -> None:
        key = a_key()
        hold = memory.hold(key)

        (theirs,) = memory.others.claim([key], lease_seconds=60)
        assert isinstance(theirs, Hold)
        memory.others.finish([theirs], remember_seconds=MONTH)

        assert memory.standing(key) is Standing.TAKEN
        assert memory.port.renew([hold], lease_seconds=60) == 1

    def test_of_many_at_once_one_gets_it(self, memory: Memory) -> None:
        keys = [a_key() for _ in range(10)]

        def claim(number: int) -> list[bool]:
            order = keys if number % 2 else keys[::-1]
            answers = dict(zip(order, memory.port.claim(order, lease_seconds=60), strict=True))
            return [isinstance(answers[key], Hold) for key in keys]

        with ThreadPoolExecutor(4) as threads:
            got = list(threads.map(claim, range(12)))

        assert [Counter(each)[True] for each in zip(*got, strict=True)] == [1] * 10

    def test_what_a_dead_consumer_held_is_free_after_its_lease(self, memory: Memory) -> None:
        key = a_key()
        dead = memory.hold(key)
        memory.clock.advance(59)
        assert memory.standing(key) is Standing.TAKEN
        memory.clock.advance(1)

        alive = memory.hold(key)

        assert alive.token != dead.token
        memory.port.give_up([dead])
        assert memory.port.renew([dead], lease_seconds=3600) == 0
        assert memory.standing(key) is Standing.TAKEN
        memory.clock.advance(60)
        assert isinstance(memory.standing(key), Hold)

    def test_a_renewed_hold_goes_on(self, memory: Memory) -> None:
        keys = [a_key(), a_key()]
        holds = [memory.hold(key) for key in keys]
        memory.clock.advance(50)

        assert memory.port.renew(holds, lease_seconds=60) == 2

        memory.clock.advance(50)
        assert [memory.standing(key) for key in keys] == [Standing.TAKEN] * 2

    def test_what_is_given_up_is_free_at_once(self, memory: Memory) -> None:
        key = a_key()
        memory.port.give_up([memory.hold(key)])

        assert isinstance(memory.standing(key), Hold)

    def test_what_is_done_stays_done(self, memory: Memory) -> None:
        key = a_key()
        hold = memory.hold(key)
        memory.port.finish([hold], remember_seconds=MONTH)

        memory.port.give_up([hold])
        assert memory.port.renew([hold], lease_seconds=60) == 0

        memory.clock.advance(DAY)
        assert memory.standing(key) is Standing.DONE

    @pytest.mark.parametrize("pruned", [False, True])
    def test_a_success_counts_even_after_the_lease(self, memory: Memory, *, pruned: bool) -> None:
        key = a_key()
        slow = memory.hold(key)
        memory.clock.advance(61)
        if pruned:
            memory.port.prune()
        else:
            memory.hold(key)

        memory.port.finish([slow], remember_seconds=MONTH)

        assert memory.standing(key) is Standing.DONE

    def test_only_what_is_forgotten_is_erased(self, memory: Memory) -> None:
        memory.port.finish([memory.hold(a_key())], remember_seconds=MONTH)
        memory.hold(a_key())
        assert memory.port.prune() == 0

        memory.clock.advance(60)
        assert memory.port.prune() == 1
        memory.clock.advance(MONTH)
        assert memory.port.prune() == 1

    def test_nothing_to_do_is_done(self, memory: Memory) -> None:
        memory.port.finish([], remember_seconds=MONTH)
        memory.port.give_up([])

        assert memory.port.claim([], lease_seconds=60) == ()
        assert memory.port.renew([], lease_seconds=60) == 0

    def test_a_store_that_cannot_be_reached_is_said_by_every_method(self, memory: Memory) -> None:
        if memory.broken is None:
            pytest.skip("there is nothing that could be away")
        port, hold = memory.broken(), Hold(a_key(), uuid4())
        calls: list[Callable[[], object]] = [
            lambda: port.claim([hold.key], lease_seconds=60),
            lambda: port.renew([hold], lease_seconds=60),
            lambda: port.finish([hold], remember_seconds=60),
            lambda: port.give_up([hold]),
            port.prune,
        ]

        for call in calls:
            with pytest.raises(ProcessedEventsUnavailableError):
                call()
