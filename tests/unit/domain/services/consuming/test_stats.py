"""What a consumer counts."""

from domain.model.consuming.lease import EventKey
from domain.services.consuming.stats import ConsumerStats, MessageOutcome
from tests.contracts.deduplication_port import a_key


def figures(tally: ConsumerStats) -> dict[str, int]:
    return {name: number for name, number in tally.as_dict().items() if number}


def test_every_try_that_failed_counts_and_each_event_once() -> None:
    tally, often, once = ConsumerStats(), a_key(), a_key()
    for key in (often, once, often, often):
        tally.count_failure(key)

    assert figures(tally) == {"failed": 4, "failed_events": 2, "unhandled_events": 2}
    assert tally.leaves_something


def test_an_event_that_was_handled_since_is_no_longer_left() -> None:
    tally, key = ConsumerStats(), a_key()
    tally.count_failure(key)

    tally.forget_failures([a_key(), key])

    assert figures(tally) == {"failed": 1, "failed_events": 1}
    assert not tally.leaves_something


def test_what_cannot_be_read_is_left() -> None:
    tally = ConsumerStats()
    tally.count(MessageOutcome.UNREADABLE)

    assert tally.leaves_something


def test_a_replay_of_an_event_is_another_one() -> None:
    tally, key = ConsumerStats(), a_key()
    tally.count_failure(key)

    tally.forget_failures([EventKey(key.interaction_id, "after-the-outage")])

    assert tally.unhandled_events == 1


def test_of_very_many_the_oldest_are_only_counted() -> None:
    tally, keys = ConsumerStats(max_known=3), [a_key() for _ in range(5)]
    for key in keys:
        tally.count_failure(key)

    tally.forget_failures(keys)

    assert figures(tally) == {"failed": 5, "failed_events": 5, "unhandled_events": 2}
