"""Consumer with its threads: start, stop, and handlers that never return."""

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

pytestmark = pytest.mark.slow

DRAINING = ConsumerOptions(threads=4, drain=True)
STUCK = "handler exceeded its timeout, the message will be redelivered"


class RealTime(Clock):
    """Clock of the machine; a waiting queue sleeps only for a moment."""

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
def setup() -> ConsumerSetup:
    return ConsumerSetup()


def waiting(begun: Event, go_on: Event) -> Callable[[object], object]:
    """Return a handler that sets `begun` and waits for `go_on`."""

    def work(_: object) -> None:
        begun.set()
        go_on.wait(60)

    return work


@contextmanager
def running(consumer: Consumer) -> Iterator[Callable[[], ConsumerStats]]:
    """Run the consumer in a thread; yield a function that waits for its end."""
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


def test_everything_in_the_queue_is_handled_once_by_several_threads(setup: ConsumerSetup) -> None:
    setup.send(200)

    stats = setup.consumer(DRAINING).run()

    assert stats.as_dict()["handled"] == 200
    assert len({event.interaction_id for event in setup.handler.events}) == 200
    assert setup.queue.bodies() == []


def test_several_consumers_share_the_work_and_handle_duplicates_once(setup: ConsumerSetup) -> None:
    for body in [enveloped(an_event()) for _ in range(50)]:
        setup.queue.send(body)
        setup.queue.send(body)

    with running(setup.consumer(DRAINING)) as first, running(setup.consumer(DRAINING)) as second:
        all_stats = [first().as_dict(), second().as_dict()]

    assert len(setup.handler.got) == 50
    assert sum(stats["handled"] for stats in all_stats) == 50


def test_no_more_handlers_run_at_once_than_there_are_threads(setup: ConsumerSetup) -> None:
    setup.send(21)
    inside: set[object] = set()
    most: list[int] = []
    together = Barrier(3)

    def work(received: object) -> None:
        inside.add(id(received))
        most.append(len(inside))
        together.wait(60)  # for two others
        inside.discard(id(received))

    setup.handler.does = work
    setup.consumer(replace(DRAINING, threads=3)).run()

    assert max(most) == 3


def test_a_stop_lets_the_running_handler_finish_and_starts_nothing_new(setup: ConsumerSetup) -> None:
    setup.send(1)
    consumer, begun, go_on = setup.consumer(ConsumerOptions(threads=1)), Event(), Event()
    setup.handler.does = waiting(begun, go_on)

    with running(consumer) as ended:
        assert begun.wait(60)
        setup.send(3)
        consumer.stop()
        go_on.set()
        stats = ended()

    assert stats.as_dict()["handled"] == 1
    assert setup.queue.depth().waiting == 3


def test_handlers_are_aborted_and_their_messages_released_after_the_shutdown_timeout(
    setup: ConsumerSetup,
) -> None:
    setup.send(2)
    consumer, begun = setup.consumer(ConsumerOptions(threads=2, shutdown_timeout=0.1)), Event()
    aborted = Event()

    def work(_: object) -> None:
        begun.set()
        assert aborted.wait(60)
        raise HandlerError("ended, as the consumer must end")

    setup.handler.does = work
    setup.handler.when_aborted = aborted.set
    with running(consumer) as ended:
        wait_until(lambda: len(setup.handler.got) == 2)
        consumer.stop()
        stats = ended()

    assert set(stats.as_dict().values()) == {0}
    assert setup.queue.depth().waiting == 2
    assert setup.memory.prune() == 0
    setup.handler.does = lambda _: None
    with running(setup.consumer(DRAINING)) as again:
        assert again().as_dict()["handled"] == 2


def test_a_handler_that_cannot_be_aborted_does_not_block_the_shutdown(
    setup: ConsumerSetup, caplog: pytest.LogCaptureFixture
) -> None:
    setup.send(1)
    consumer, begun, never = (
        setup.consumer(ConsumerOptions(threads=1, shutdown_timeout=0.0)),
        Event(),
        Event(),
    )
    setup.handler.does = waiting(begun, never)

    with running(consumer) as ended:
        assert begun.wait(60)
        consumer.stop()
        ended()

    assert "handlers did not end within the shutdown timeout, messages released" in caplog.messages
    assert setup.queue.depth().waiting == 1
    never.set()


def test_a_consumer_ends_with_an_error_when_every_handler_is_stuck(setup: ConsumerSetup) -> None:
    setup.send(2)
    never = Event()
    setup.handler.does = lambda _: never.wait(60)
    consumer = setup.consumer(ConsumerOptions(threads=2, handler_timeout=0.2))

    with pytest.raises(HandlerError, match="2 handlers are stuck"):
        consumer.run()
    never.set()


def test_other_threads_go_on_while_one_handler_is_stuck(
    setup: ConsumerSetup, caplog: pytest.LogCaptureFixture
) -> None:
    never = Event()
    setup.send(1)
    setup.handler.does = lambda _: never.wait(60)
    consumer = setup.consumer(ConsumerOptions(threads=2, handler_timeout=2))

    with running(consumer) as ended:
        wait_until(lambda: STUCK in caplog.messages)
        setup.handler.does = lambda _: None
        setup.send(20)
        wait_until(lambda: len(setup.handler.got) == 21)
        consumer.stop()
        assert ended().as_dict()["handled"] == 20
    never.set()


def test_an_unavailable_queue_at_the_start_is_an_error(setup: ConsumerSetup) -> None:
    setup.queue.before["depth"] = failing_with(InfrastructureError("the queue orders does not exist"))

    with pytest.raises(InfrastructureError, match="does not exist"):
        setup.consumer(DRAINING).run()
    assert setup.queue.received == []
