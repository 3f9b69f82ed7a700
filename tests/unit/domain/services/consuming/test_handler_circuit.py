"""What a consumer does where handlers fail whatever they get, and where one event is the reason."""

import logging
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import HandlerError, InfrastructureError
from domain.services.consuming.handler_circuit import (
    TRIES_BEFORE_THE_END,
    TRIES_IN_HAND,
    Outage,
)
from domain.services.consuming.loop import Hand
from domain.services.consuming.workplace import ConsumerOptions
from domain.services.resilience.circuit_breaker import DEFAULT_THRESHOLD
from tests.contracts.deduplication_port import a_key
from tests.support.doubles.queue import failing_with
from tests.support.harness.consumer import OPTIONS, ConsumerHarness

HOUR = 3600.0
LONGEST_PAUSE = 60.0
HOURLY_TRIES = 2 * HOUR / LONGEST_PAUSE
"""A pause takes half a minute at least, once it has grown."""


@pytest.fixture
def shop() -> ConsumerHarness:
    return ConsumerHarness()


def until(shop: ConsumerHarness, is_enough: Callable[[], object]) -> None:
    """Let consumer and keeper work, until so much is done or so much time has passed."""
    while not is_enough():
        before = shop.clock()
        shop.steps()
        shop.clock.seconds = max(shop.clock(), before + 0.01)
        if int(shop.clock()) > int(before):
            shop.keeper.beat()


def passed(shop: ConsumerHarness, seconds: float) -> Callable[[], bool]:
    """Whether so much time has passed since."""
    end = shop.clock() + seconds
    return lambda: shop.clock() >= end


def begin_outage(shop: ConsumerHarness, events: int = DEFAULT_THRESHOLD) -> None:
    """Have every handler fail, until that is noticed."""
    for _ in range(events):
        shop.send()
    shop.handler.fails = "the shop is closed"
    until(shop, lambda: shop.place.outage.is_on)


@pytest.mark.parametrize("events", [5, 20, 300])
def test_an_outage_of_hours_dead_letters_six_events_an_hour_at_most_and_nothing_is_lost(
    shop: ConsumerHarness, events: int
) -> None:
    sent = {shop.send().interaction_id for _ in range(events)}
    shop.handler.fails = "the shop is closed"

    until(shop, passed(shop, 4 * HOUR))

    tries = DEFAULT_THRESHOLD + 7 + 4 * HOURLY_TRIES
    assert len(shop.handler.got) <= tries
    assert len(shop.dead.bodies()) <= tries / (2 * TRIES_IN_HAND)
    shop.handler.fails = None
    until(shop, lambda: not shop.queue.bodies())
    handled = {received.event.interaction_id for received in shop.handler.got}
    assert handled == sent
    assert shop.tally().get("handled", 0) == events - len(shop.dead.bodies())


def test_an_outage_of_half_an_hour_dead_letters_nothing(shop: ConsumerHarness) -> None:
    for _ in range(50):
        shop.send()
    shop.handler.fails = "the shop is closed"

    until(shop, passed(shop, HOUR / 2))
    shop.handler.fails = None
    until(shop, lambda: not shop.queue.bodies())

    assert shop.dead.bodies() == []
    assert shop.tally()["handled"] == 50
    assert max(received.receive_count for received in shop.handler.got) <= 2


def test_a_poison_event_among_good_ones_becomes_a_dead_letter_after_three_receives(
    shop: ConsumerHarness,
) -> None:
    poison = shop.send()
    others = [shop.send() for _ in range(30)]

    def work(received: ReceivedEvent) -> None:
        if received.event == poison:
            raise HandlerError("it cannot be stored")

    shop.handler.does = work
    for _ in range(3):
        until(shop, passed(shop, 500))
        others += [shop.send() for _ in range(30)]
    until(shop, passed(shop, 500))

    assert [got.receive_count for got in shop.handler.got if got.event == poison] == [1, 2, 3]
    assert len(shop.dead.bodies()) == 1
    assert shop.tally() == {
        "handled": len(others),
        "failed": 3,
        "failed_events": 1,
        "unhandled_events": 1,
    }


def test_a_poison_event_alone_is_no_outage(shop: ConsumerHarness) -> None:
    shop.send()
    shop.handler.fails = "it cannot be stored"

    until(shop, shop.dead.bodies)

    assert shop.tally() == {"failed": 3, "failed_events": 1, "unhandled_events": 1}


def test_while_it_lasts_a_good_event_gets_past_those_that_fail(shop: ConsumerHarness) -> None:
    begin_outage(shop)
    good = shop.send()

    def work(received: ReceivedEvent) -> None:
        if received.event != good:
            raise HandlerError("it cannot be stored")

    shop.handler.fails, shop.handler.does = None, work
    until(shop, lambda: good in shop.handler.events)

    assert not shop.place.outage.is_on
    assert shop.clock() < 1000 + 2 * LONGEST_PAUSE


def test_poison_events_alone_become_dead_letters_too_though_slowly(shop: ConsumerHarness) -> None:
    begin_outage(shop, DEFAULT_THRESHOLD + 1)

    until(shop, lambda: len(shop.dead.bodies()) == DEFAULT_THRESHOLD + 1)

    assert shop.queue.bodies() == []


def test_the_first_success_ends_it_and_what_was_kept_follows_at_once(shop: ConsumerHarness) -> None:
    begin_outage(shop, 8)
    until(shop, passed(shop, 300))
    assert shop.place.in_hand.waiting()

    shop.handler.fails = None
    until(shop, lambda: not shop.place.outage.is_on)
    back = shop.clock()
    until(shop, lambda: shop.tally().get("handled") == 8)

    assert shop.clock() < back + 1
    assert shop.queue.bodies() == []
    assert shop.tally()["pauses"] == 1
    assert "unhandled_events" not in shop.tally()


def test_begin_and_end_are_told_once_each_whatever_fails_in_between(
    shop: ConsumerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    begin_outage(shop, 20)
    told_before = [line for line in caplog.records if line.message == "event not handled"]

    until(shop, passed(shop, 600))
    shop.handler.fails = None
    until(shop, lambda: not shop.place.outage.is_on)

    assert len(told_before) == DEFAULT_THRESHOLD - 1
    begins, ends = (line for line in caplog.records if line not in told_before)
    assert (begins.message, begins.levelname) == ("the consumer pauses", "ERROR")
    assert begins.__dict__["error"] == "5 events failed in a row, the last one: the shop is closed"
    assert (ends.message, ends.levelname) == ("the consumer goes on", "INFO")


def test_what_is_kept_stays_hidden_and_held_and_is_put_back_at_the_end(shop: ConsumerHarness) -> None:
    begin_outage(shop, 12)
    other = shop.another()
    until(shop, passed(shop, 400))
    kept = shop.place.in_hand.everything()
    assert len(kept) >= DEFAULT_THRESHOLD

    assert other.intake.receive(10, wait_seconds=0).found == 0
    shop.endings.put_back(shop.place.in_hand.take_waiting())
    other.steps(2 * len(kept))

    assert len(other.handler.got) == len(kept)


def test_only_one_thread_tries_at_a_time(shop: ConsumerHarness) -> None:
    begin_outage(shop, 9)
    second = Hand()

    def meanwhile(_: ReceivedEvent) -> None:
        before = len(shop.handler.got)
        shop.clock.advance(LONGEST_PAUSE)
        assert shop.crew.step(second)
        assert len(shop.handler.got) == before

    shop.handler.does = meanwhile
    until(shop, lambda: len(shop.handler.got) == DEFAULT_THRESHOLD + 1)


def test_pauses_grow_to_a_minute_and_no_further(shop: ConsumerHarness) -> None:
    begin_outage(shop, 30)
    at: list[float] = [shop.clock()]
    shop.handler.does = lambda _: at.append(shop.clock())

    until(shop, lambda: len(at) == 12)

    pauses = [after - before for before, after in pairwise(at)]
    for number, pause in enumerate(pauses):
        bound = min(2**number, LONGEST_PAUSE)
        assert bound / 2 <= pause <= bound + 1.1  # the others look once a second


def test_a_queue_that_goes_away_meanwhile_is_waited_for(shop: ConsumerHarness) -> None:
    begin_outage(shop)
    shop.queue.before["receive"] = failing_with(InfrastructureError("the queue is away"))
    until(shop, passed(shop, 120))

    shop.queue.before.clear()
    shop.handler.fails = None
    until(shop, lambda: not shop.queue.bodies())

    assert shop.tally()["handled"] == DEFAULT_THRESHOLD


@pytest.mark.parametrize("options", [replace(OPTIONS, drain=True), replace(OPTIONS, max_messages=15)])
def test_a_run_that_is_to_end_by_itself_waits_for_a_few_tries(options: ConsumerOptions) -> None:
    shop = ConsumerHarness(options)
    for _ in range(40):
        shop.send()
    shop.handler.fails = "the shop is closed"

    shop.crew.work()

    assert len(shop.handler.got) == DEFAULT_THRESHOLD + TRIES_BEFORE_THE_END
    assert shop.clock() < 1000 + 60
    shop.endings.put_back(shop.place.in_hand.take_waiting())
    assert shop.queue.depth().waiting >= 40 - len(shop.handler.got)


@pytest.mark.parametrize(
    "options", [replace(OPTIONS, drain=True), replace(OPTIONS, max_messages=DEFAULT_THRESHOLD)]
)
def test_a_run_that_is_to_end_by_itself_ends_where_an_outage_ends_in_time(
    options: ConsumerOptions,
) -> None:
    shop = ConsumerHarness(options)
    begin_outage(shop)
    shop.handler.fails = None

    shop.crew.work()

    assert shop.tally()["handled"] >= 1


def test_a_success_in_between_begins_the_count_anew() -> None:
    outage = Outage()
    for _ in range(DEFAULT_THRESHOLD):
        outage.failed(a_key(), "closed", 0.0)
        outage.succeeded()

    assert not outage.is_on


def test_it_begins_once_with_the_failure_that_is_one_too_many() -> None:
    outage = Outage()

    assert [outage.failed(a_key(), "closed", 0.0) for _ in range(DEFAULT_THRESHOLD + 2)] == [
        *[False] * (DEFAULT_THRESHOLD - 1),
        True,
        False,
        False,
    ]
