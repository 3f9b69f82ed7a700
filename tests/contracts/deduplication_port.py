"""Contract of every deduplication store: the sentences of `DeduplicationPort`'s docstrings.

A store binds the contract by subclassing it and providing the fixture `memory`.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import pytest

from domain.model.consuming.lease import EventKey, LeaseStatus, ProcessingLease
from domain.model.errors import ProcessedEventsUnavailableError
from ports.deduplication_port import DeduplicationPort
from tests.support.databases.databases import Clock

DAY = 86_400
MONTH = 28 * DAY


@dataclass(frozen=True)
class Memory:
    """A deduplication store with its clock, and the one of another group in the same database."""

    port: DeduplicationPort
    clock: Clock
    others: DeduplicationPort
    broken: Callable[[], DeduplicationPort] | None = None

    def lease(self, key: EventKey) -> ProcessingLease:
        """Lease a free event."""
        (lease,) = self.port.acquire([key], lease_seconds=60)
        assert isinstance(lease, ProcessingLease)
        return lease

    def status(self, key: EventKey) -> ProcessingLease | LeaseStatus:
        """Return the status of an event for another consumer of the group."""
        return self.port.acquire([key], lease_seconds=60)[0]


def a_key(replay: str | None = None) -> EventKey:
    return EventKey("BatchProcessingCompleted", uuid4(), replay)


class DeduplicationPortContract:
    """Bound by each adapter of `DeduplicationPort`."""

    def test_a_new_event_is_leased_once(self, memory: Memory) -> None:
        key = a_key()

        assert memory.lease(key).key == key
        assert memory.status(key) is LeaseStatus.IN_PROGRESS

    def test_a_completed_event_stays_completed_for_others(self, memory: Memory) -> None:
        key = a_key()
        memory.port.complete([memory.lease(key)], retention_seconds=MONTH)

        assert memory.status(key) is LeaseStatus.COMPLETED

    def test_a_completed_event_is_remembered_for_the_retention_and_no_longer(self, memory: Memory) -> None:
        key = a_key()
        lease = memory.lease(key)
        memory.clock.advance(30)
        memory.port.complete([lease], retention_seconds=MONTH)

        memory.clock.advance(MONTH - 1)
        assert memory.status(key) is LeaseStatus.COMPLETED
        memory.clock.advance(1)
        assert isinstance(memory.status(key), ProcessingLease)

    def test_many_are_answered_in_their_order(self, memory: Memory) -> None:
        done, taken, new = a_key(), a_key(), a_key()
        memory.port.complete([memory.lease(done)], retention_seconds=MONTH)
        memory.lease(taken)

        answer = memory.port.acquire([taken, new, done], lease_seconds=60)

        assert (answer[0], answer[2]) == (LeaseStatus.IN_PROGRESS, LeaseStatus.COMPLETED)
        assert isinstance(answer[1], ProcessingLease)
        assert answer[1].key == new

    def test_the_second_of_two_equal_keys_is_in_progress(self, memory: Memory) -> None:
        key = a_key()

        first, second = memory.port.acquire([key, key], lease_seconds=60)

        assert isinstance(first, ProcessingLease)
        assert second is LeaseStatus.IN_PROGRESS

    def test_a_replay_is_another_event_and_each_replay_another_one(self, memory: Memory) -> None:
        key = a_key()
        memory.port.complete([memory.lease(key)], retention_seconds=MONTH)
        again = key._replace(replay="after-the-outage")
        memory.port.complete([memory.lease(again)], retention_seconds=MONTH)

        assert isinstance(memory.status(key._replace(replay="once-more")), ProcessingLease)
        assert memory.status(again) is LeaseStatus.COMPLETED

    def test_the_completion_and_the_failure_of_a_recording_are_two_events(self, memory: Memory) -> None:
        key = a_key()
        failure = key._replace(detail_type="BatchProcessingFailed")
        memory.port.complete([memory.lease(key)], retention_seconds=MONTH)

        lease, status = memory.port.acquire([failure, key], lease_seconds=60)

        assert isinstance(lease, ProcessingLease)
        assert status is LeaseStatus.COMPLETED
        memory.port.release([lease])
        assert memory.status(key) is LeaseStatus.COMPLETED

    def test_the_status_of_events_of_a_type_is_told_without_a_lease(self, memory: Memory) -> None:
        done, taken, free = a_key(), a_key(), a_key()
        memory.port.complete([memory.lease(done)], retention_seconds=MONTH)
        memory.lease(taken)
        ids = [key.interaction_id for key in (done, taken, free)]

        assert memory.port.statuses(done.detail_type, ids) == {
            ids[0]: LeaseStatus.COMPLETED,
            ids[1]: LeaseStatus.IN_PROGRESS,
        }
        assert memory.port.statuses("TranscriptErased", ids) == {}
        assert memory.others.statuses(done.detail_type, ids) == {}
        assert memory.port.statuses(done.detail_type, []) == {}
        assert memory.lease(free).key == free

    def test_the_status_of_an_event_is_that_of_all_its_replays(self, memory: Memory) -> None:
        key = a_key()
        again = key._replace(replay="after-the-outage")
        memory.port.complete([memory.lease(again)], retention_seconds=MONTH)
        ids = [key.interaction_id]
        assert memory.port.statuses(key.detail_type, ids) == {ids[0]: LeaseStatus.COMPLETED}

        lease = memory.lease(key)

        assert memory.port.statuses(key.detail_type, ids) == {ids[0]: LeaseStatus.IN_PROGRESS}
        memory.port.release([lease])
        assert memory.port.statuses(key.detail_type, ids) == {ids[0]: LeaseStatus.COMPLETED}

    def test_expired_events_have_no_status(self, memory: Memory) -> None:
        done, taken = a_key(), a_key()
        memory.port.complete([memory.lease(done)], retention_seconds=MONTH)
        memory.clock.advance(MONTH - 60)
        memory.lease(taken)
        ids = [done.interaction_id, taken.interaction_id]
        assert len(memory.port.statuses(done.detail_type, ids)) == 2

        memory.clock.advance(60)

        assert memory.port.statuses(done.detail_type, ids) == {}

    def test_of_two_that_lease_before_they_look_at_least_one_sees_the_other(self, memory: Memory) -> None:
        def lease_then_look(mine: EventKey, theirs: EventKey) -> bool:
            memory.port.acquire([mine], lease_seconds=60)
            return bool(memory.port.statuses(theirs.detail_type, [theirs.interaction_id]))

        with ThreadPoolExecutor(2) as threads:
            for _ in range(20):
                key = a_key()
                erasure = key._replace(detail_type="TranscriptErased")
                sights = list(threads.map(lease_then_look, (key, erasure), (erasure, key)))
                assert any(sights)

    def test_every_group_has_its_own_leases(self, memory: Memory) -> None:
        key = a_key()
        lease = memory.lease(key)

        (theirs,) = memory.others.acquire([key], lease_seconds=60)
        assert isinstance(theirs, ProcessingLease)
        memory.others.complete([theirs], retention_seconds=MONTH)

        assert memory.status(key) is LeaseStatus.IN_PROGRESS
        assert memory.port.renew([lease], lease_seconds=60) == 1

    def test_one_of_many_concurrent_callers_gets_the_lease(self, memory: Memory) -> None:
        keys = [a_key() for _ in range(10)]

        def acquire(number: int) -> list[bool]:
            order = keys if number % 2 else keys[::-1]
            answers = dict(zip(order, memory.port.acquire(order, lease_seconds=60), strict=True))
            return [isinstance(answers[key], ProcessingLease) for key in keys]

        with ThreadPoolExecutor(4) as threads:
            got = list(threads.map(acquire, range(12)))

        assert [Counter(each)[True] for each in zip(*got, strict=True)] == [1] * 10

    def test_the_lease_of_a_dead_consumer_expires(self, memory: Memory) -> None:
        key = a_key()
        dead = memory.lease(key)
        memory.clock.advance(59)
        assert memory.status(key) is LeaseStatus.IN_PROGRESS
        memory.clock.advance(1)

        alive = memory.lease(key)

        assert alive.token != dead.token
        memory.port.release([dead])
        assert memory.port.renew([dead], lease_seconds=3600) == 0
        assert memory.status(key) is LeaseStatus.IN_PROGRESS
        memory.clock.advance(60)
        assert isinstance(memory.status(key), ProcessingLease)

    def test_a_renewed_lease_continues(self, memory: Memory) -> None:
        keys = [a_key(), a_key()]
        leases = [memory.lease(key) for key in keys]
        memory.clock.advance(50)

        assert memory.port.renew(leases, lease_seconds=60) == 2

        memory.clock.advance(50)
        assert [memory.status(key) for key in keys] == [LeaseStatus.IN_PROGRESS] * 2

    def test_a_released_event_is_free_at_once(self, memory: Memory) -> None:
        key = a_key()
        memory.port.release([memory.lease(key)])

        assert isinstance(memory.status(key), ProcessingLease)

    def test_neither_release_nor_renewal_changes_a_completed_event(self, memory: Memory) -> None:
        key = a_key()
        lease = memory.lease(key)
        memory.port.complete([lease], retention_seconds=MONTH)

        memory.port.release([lease])
        assert memory.port.renew([lease], lease_seconds=60) == 0

        memory.clock.advance(DAY)
        assert memory.status(key) is LeaseStatus.COMPLETED

    @pytest.mark.parametrize("pruned", [False, True])
    def test_a_success_counts_even_after_the_lease(self, memory: Memory, *, pruned: bool) -> None:
        key = a_key()
        slow = memory.lease(key)
        memory.clock.advance(61)
        if pruned:
            memory.port.prune()
        else:
            memory.lease(key)

        memory.port.complete([slow], retention_seconds=MONTH)

        assert memory.status(key) is LeaseStatus.COMPLETED

    def test_only_expired_entries_are_pruned(self, memory: Memory) -> None:
        memory.port.complete([memory.lease(a_key())], retention_seconds=MONTH)
        memory.lease(a_key())
        assert memory.port.prune() == 0

        memory.clock.advance(60)
        assert memory.port.prune() == 1
        memory.clock.advance(MONTH)
        assert memory.port.prune() == 1

    def test_empty_calls_change_nothing(self, memory: Memory) -> None:
        memory.port.complete([], retention_seconds=MONTH)
        memory.port.release([])

        assert memory.port.acquire([], lease_seconds=60) == ()
        assert memory.port.renew([], lease_seconds=60) == 0

    def test_every_method_reports_a_store_that_cannot_be_reached(self, memory: Memory) -> None:
        if memory.broken is None:
            pytest.skip("there is nothing that could be away")
        port, lease = memory.broken(), ProcessingLease(a_key(), uuid4())
        calls: list[Callable[[], object]] = [
            lambda: port.acquire([lease.key], lease_seconds=60),
            lambda: port.statuses(lease.key.detail_type, [lease.key.interaction_id]),
            lambda: port.renew([lease], lease_seconds=60),
            lambda: port.complete([lease], retention_seconds=60),
            lambda: port.release([lease]),
            port.prune,
        ]

        for call in calls:
            with pytest.raises(ProcessedEventsUnavailableError):
                call()
