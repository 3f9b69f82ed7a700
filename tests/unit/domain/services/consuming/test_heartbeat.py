"""What happens to messages in hand while their handlers take their time."""

from dataclasses import replace

import pytest

from domain.model.errors import InfrastructureError
from ports.queue_port import MAX_VISIBILITY_TIMEOUT
from tests.support.doubles.queue import failing_with
from tests.support.harness.consumer import OPTIONS, ConsumerHarness


@pytest.fixture
def shop() -> ConsumerHarness:
    return ConsumerHarness()


def test_what_is_in_hand_stays_hidden_and_held_for_as_long_as_it_takes(shop: ConsumerHarness) -> None:
    event = shop.send()
    other = shop.another()

    def slow(_: object) -> None:
        for _ in range(20):
            shop.wait(30)
            assert shop.queue.depth() == (0, 1)
        shop.send(event)
        other.steps(1)
        assert not other.place.in_hand.start(shop.clock())

    shop.handler.does = slow
    shop.steps(2)

    assert shop.tally() == {"handled": 1}
    assert shop.queue.counts().popitem()[1] == 1


def test_a_third_of_the_time_is_the_beat(shop: ConsumerHarness) -> None:
    shop.send()
    shop.receive()

    shop.wait(9)
    assert "change_visibility" not in shop.queue.calls
    shop.wait(1)
    assert shop.queue.calls.count("change_visibility") == 1
    shop.wait(9)
    assert shop.queue.calls.count("change_visibility") == 1


def test_what_waits_to_be_started_is_kept_too(shop: ConsumerHarness) -> None:
    for _ in range(6):
        shop.send()
    shop.steps(3)

    shop.wait(300)

    assert shop.queue.depth() == (0, 5)


def test_no_message_is_hidden_beyond_what_a_queue_can_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = ConsumerHarness(
        replace(OPTIONS, visibility_timeout=3600, handler_seconds=MAX_VISIBILITY_TIMEOUT * 2)
    )
    shop.send()
    shop.receive()
    for _ in range(2 * 14):
        shop.clock.advance(1800)
        shop.keeper.beat()

    assert shop.queue.depth() == (1, 0)
    assert caplog.messages == ["no queue hides a message for longer: others will get it"]


def test_a_message_that_is_no_longer_ours_is_told_and_let_go(
    shop: ConsumerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    shop.send()
    shop.receive()
    (delivery,) = shop.place.in_hand.everything()
    shop.queue.delete([delivery.message])

    shop.wait(60)

    assert caplog.messages == ["a message is no longer ours: others may get it"]


def test_a_queue_that_cannot_be_reached_is_told_once_and_tried_with_each_beat(
    shop: ConsumerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    shop.send()
    shop.receive()
    shop.queue.before["change_visibility"] = failing_with(InfrastructureError("the queue is away"))

    shop.wait(15)
    assert caplog.messages == ["the consumer pauses"]
    assert shop.queue.calls.count("change_visibility") == 6
    shop.queue.before.clear()
    shop.wait(30)

    assert shop.queue.depth() == (0, 1)


def test_a_handler_that_hangs_is_told_and_its_message_left_to_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = ConsumerHarness(replace(OPTIONS, handler_seconds=60))
    event = shop.send()
    other = shop.another()

    def hang(_: object) -> None:
        shop.wait(60)
        assert shop.keeper.hung() == 0
        shop.wait(120)
        assert shop.keeper.hung() == 1
        other.steps(2)

    shop.handler.does = hang
    shop.steps(2)

    assert caplog.messages.count("a handler hangs, its message is left to others") == 1
    assert other.handler.events == [event]
    assert shop.keeper.hung() == 0, "it came back"


def test_what_is_remembered_for_long_enough_is_erased_now_and_then(shop: ConsumerHarness) -> None:
    shop.send()
    shop.steps(2)
    shop.clock.advance(29 * 86_400)

    shop.keeper.beat()

    assert shop.memory.prune() == 0


def test_a_success_that_nobody_settles_is_settled_with_a_beat(shop: ConsumerHarness) -> None:
    for _ in range(4):
        shop.send()
    shop.steps(4)
    assert shop.tally() == {"handled": 1}

    shop.wait(2)

    assert shop.tally() == {"handled": 2}


def test_a_beat_that_breaks_down_is_logged_with_its_trace_and_not_the_last(
    shop: ConsumerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    shop.send()
    shop.receive()
    shop.queue.before["change_visibility"] = failing_with(RuntimeError("a defect"))
    shop.wait(15)
    (*_, record) = caplog.records
    assert (record.message, record.levelname) == ("the heartbeat broke down", "ERROR")
    assert record.exc_info
    assert vars(record)["error_type"] == "RuntimeError"
    caplog.clear()
    shop.queue.before.clear()

    shop.wait(30)
    assert shop.queue.depth() == (0, 1)
    shop.steps()

    assert caplog.records == []
    assert shop.tally() == {"handled": 1}
