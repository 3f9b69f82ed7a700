"""Statistics of a consumer."""

from domain.services.consuming.stats import ConsumerStats, MessageOutcome
from tests.contracts.deduplication_port import a_key


def figures(stats: ConsumerStats) -> dict[str, int]:
    return {name: number for name, number in stats.as_dict().items() if number}


def test_every_failed_try_counts_and_each_event_once() -> None:
    stats, often, once = ConsumerStats(), a_key(), a_key()
    for key in (often, once, often, often):
        stats.count_failure(key)

    assert figures(stats) == {"failed": 4, "failed_events": 2, "unhandled_events": 2}
    assert stats.has_unhandled


def test_an_event_that_was_handled_since_is_not_unhandled() -> None:
    stats, key = ConsumerStats(), a_key()
    stats.count_failure(key)

    stats.forget_failures([a_key(), key])

    assert figures(stats) == {"failed": 1, "failed_events": 1}
    assert not stats.has_unhandled


def test_an_unreadable_message_is_unhandled() -> None:
    stats = ConsumerStats()
    stats.count(MessageOutcome.UNREADABLE)

    assert stats.has_unhandled


def test_a_replay_of_an_event_is_another_one() -> None:
    stats, key = ConsumerStats(), a_key()
    stats.count_failure(key)

    stats.forget_failures([key._replace(replay="after-the-outage")])

    assert stats.unhandled_events == 1


def test_beyond_the_limit_the_oldest_failed_events_are_only_counted() -> None:
    stats, keys = ConsumerStats(max_known=3), [a_key() for _ in range(5)]
    for key in keys:
        stats.count_failure(key)

    stats.forget_failures(keys)

    assert figures(stats) == {"failed": 5, "failed_events": 5, "unhandled_events": 2}
