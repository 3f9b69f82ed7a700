"""A consumer as a whole, with its threads: how it starts, ends, and gives up."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Barrier, Event, Thread

import pytest

from adapters.in_memory import InMemoryProcessedEvents
from domain.model.errors import HandlerError, InfrastructureError
from domain.services.consuming.consumer import Consumer, ConsumerOptions, ConsumerStats
from tests.support.doubles.queue import BreakingQueue, Clock, InMemoryQueue, failing_with
from tests.support.harness.consumer import SteeredHandler
from tests.support.harness.service import wait_until
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import an_event

DRAINING = ConsumerOptions(threads=4, drain=True)


class RealTime(Clock):
    """A queue that waits takes a moment only."""

    def __call__(self) -> float:
        return time.monotonic()

    def advance(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.01))


class ConsumerSetup:
    def __init__(self) -> None:
        clock = RealTime()
        self.dead = InMemoryQueue(clock)
        self.queue = BreakingQueue(clock, dead_letters=self.dead)
        self.memory = InMemoryProcessedEvents()
        self.handler = SteeredHandler()

    def consumer(self, options: ConsumerOptions) -> Consumer:
        return Consumer(self.queue, self.handler, self.memory, options=options)

    def send(self, number: int) -> None:
        for _ in range(number):
            self.queue.send(enveloped(an_event()))


@pytest.fixture
def shop() -> ConsumerSetup:
    return ConsumerSetup()


def waiting(begun: Event, go_on: Event) -> Callable[[object], object]:
    """Work that tells that it has begun, and goes on when it may."""

    def work(_: object) -> None:
        begun.set()
        go_on.wait(60)

    return work


@contextmanager
def running(consumer: Consumer) -> Iterator[Callable[[], ConsumerStats]]:
    """The consumer in a thread; yields what waits for its end."""
    result: list[ConsumerStats] = []
    thread = Thread(target=lambda: result.append(consumer.run()))
    thread.start()

    def ended() -> ConsumerStats:
        thread.join(60)
        assert not thread.is_alive()
        return result[0]

    yield ended
    consumer.stop()
    ended()


def test_everything_in_the_queue_is_handled_once_by_several_threads(shop: ConsumerSetup) -> None:
    shop.send(200)

    tally = shop.consumer(DRAINING).run()

    assert tally.as_dict()["handled"] == 200
    assert len({event.interaction_id for event in shop.handler.events}) == 200
    assert shop.queue.bodies() == []


def test_several_consumers_share_the_work_and_handle_duplicates_once(shop: ConsumerSetup) -> None:
    for body in [enveloped(an_event()) for _ in range(50)]:
        shop.queue.send(body)
        shop.queue.send(body)

    with running(shop.consumer(DRAINING)) as first, running(shop.consumer(DRAINING)) as second:
        tallies = [first().as_dict(), second().as_dict()]

    assert len(shop.handler.got) == 50
    assert sum(tally["handled"] for tally in tallies) == 50


def test_so_many_handlers_work_at_once_and_no_more(shop: ConsumerSetup) -> None:
    shop.send(21)
    inside: set[object] = set()
    most: list[int] = []
    together = Barrier(3)

    def work(received: object) -> None:
        inside.add(id(received))
        most.append(len(inside))
        together.wait(60)  # for two others
        inside.discard(id(received))

    shop.handler.does = work
    shop.consumer(replace(DRAINING, threads=3)).run()

    assert max(most) == 3


def test_it_stops_when_told_and_finishes_what_is_in_hand(shop: ConsumerSetup) -> None:
    shop.send(1)
    consumer, begun, go_on = shop.consumer(ConsumerOptions(threads=1)), Event(), Event()
    shop.handler.does = waiting(begun, go_on)

    with running(consumer) as ended:
        assert begun.wait(60)
        shop.send(3)
        consumer.stop()
        go_on.set()
        tally = ended()

    assert tally.as_dict()["handled"] == 1
    assert shop.queue.depth().waiting == 3


def test_what_takes_longer_than_the_grace_is_aborted_and_put_back(shop: ConsumerSetup) -> None:
    shop.send(2)
    consumer, begun = shop.consumer(ConsumerOptions(threads=2, grace_seconds=0.1)), Event()
    aborted = Event()

    def work(_: object) -> None:
        begun.set()
        assert aborted.wait(60)
        raise HandlerError("ended, as the consumer must end")

    shop.handler.does = work
    shop.handler.when_aborted = aborted.set
    with running(consumer) as ended:
        wait_until(lambda: len(shop.handler.got) == 2)
        consumer.stop()
        tally = ended()

    assert tally.as_dict() == {
        "handled": 0,
        "failed": 0,
        "unreadable": 0,
        "duplicates": 0,
        "test_events": 0,
        "failed_events": 0,
        "unhandled_events": 0,
        "pauses": 0,
    }
    assert shop.queue.depth().waiting == 2
    assert shop.memory.prune() == 0
    shop.handler.does = lambda _: None
    with running(shop.consumer(DRAINING)) as again:
        assert again().as_dict()["handled"] == 2


def test_a_handler_that_cannot_be_ended_does_not_keep_it(
    shop: ConsumerSetup, caplog: pytest.LogCaptureFixture
) -> None:
    shop.send(1)
    consumer, begun, never = shop.consumer(ConsumerOptions(threads=1, grace_seconds=0.0)), Event(), Event()
    shop.handler.does = waiting(begun, never)

    with running(consumer) as ended:
        assert begun.wait(60)
        consumer.stop()
        ended()

    assert "not finished in time, and put back" in caplog.messages
    assert shop.queue.depth().waiting == 1
    never.set()


def test_when_every_handler_hangs_it_gives_up_and_says_so(shop: ConsumerSetup) -> None:
    shop.send(2)
    never = Event()
    shop.handler.does = lambda _: never.wait(60)
    consumer = shop.consumer(ConsumerOptions(threads=2, handler_seconds=0.2))

    with pytest.raises(HandlerError, match="2 handlers hang"):
        consumer.run()
    never.set()


def test_while_one_handler_hangs_the_others_go_on(shop: ConsumerSetup) -> None:
    never = Event()
    shop.send(1)
    shop.handler.does = lambda _: never.wait(60)
    consumer = shop.consumer(ConsumerOptions(threads=2, handler_seconds=2))

    with running(consumer) as ended:
        wait_until(lambda: consumer._keeper.hung() == 1)
        shop.handler.does = lambda _: None
        shop.send(20)
        wait_until(lambda: len(shop.handler.got) == 21)
        consumer.stop()
        assert ended().as_dict()["handled"] == 20
    never.set()


def test_a_queue_that_cannot_be_reached_at_the_start_ends_it(shop: ConsumerSetup) -> None:
    shop.queue.before["depth"] = failing_with(InfrastructureError("the queue orders does not exist"))

    with pytest.raises(InfrastructureError, match="does not exist"):
        shop.consumer(DRAINING).run()
    assert shop.queue.received == []
