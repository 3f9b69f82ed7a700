"""Bell of Celery on real brokers: what a consumer hears, and what a broker that is down costs."""

import logging
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Self
from uuid import UUID, uuid4

import pytest

from adapters.celery.app import TASK, Broker, queue_name, worker_app
from adapters.celery.bell import CeleryBell
from adapters.celery.publisher import RingPublisher
from ports.job_bell_port import JobBellPort
from tests.contracts.job_bell_port import Bell, JobBellPortContract
from tests.support.aws.silence import silent_endpoint
from tests.support.brokers.brokers import Broker as Server
from tests.support.brokers.workers import WorkSite
from tests.support.harness.service import wait_until
from tests.system.brokers.conftest import BROKERS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.process,
    # a bell lives as long as its process, and the brokers' libraries leave sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NO_BROKER = Broker("redis://127.0.0.1:1/0", "us-east-1")


class Hearing:
    """Consumer of a queue, in a thread."""

    def __init__(self, broker: Broker, queue: str) -> None:
        self.heard: list[UUID] = []
        self._stop = Event()
        self._app = worker_app(broker, [queue])
        self._queue = self._app.amqp.queues[queue_name(queue)]
        self._thread = Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with self._app.connection_for_read() as connection:
            messages = connection.SimpleQueue(self._queue)
            while not self._stop.is_set():
                try:
                    message = messages.get(timeout=0.5)
                except messages.Empty:
                    continue
                assert message.headers["task"] == TASK
                ((job_id,), _, _) = message.payload
                self.heard.append(UUID(job_id))
                message.ack()
            messages.close()


@pytest.mark.parametrize("kind", BROKERS, scope="class")
class TestCeleryBell(JobBellPortContract):
    @pytest.fixture
    def rung(self, kind: str, site_on: Callable[..., WorkSite]) -> Iterator[Bell]:
        site, cut_off = site_on(kind), CeleryBell(NO_BROKER)
        bell = site.bell()
        with Hearing(site.broker, site.queue) as hearing:
            yield Bell(bell, site.queue, lambda: hearing.heard, lambda: cut_off)
        assert bell.flush(60)
        assert cut_off.flush(60)


@pytest.mark.parametrize("kind", BROKERS)
def test_jobs_are_not_told_of_again_while_messages_wait(kind: str, site_on: Callable[..., WorkSite]) -> None:
    site, jobs = site_on(kind), [uuid4() for _ in range(3)]
    bell, publisher = site.bell(), RingPublisher(site.broker)
    bell.ring(jobs[0], site.queue)
    wait_until(lambda: publisher.waiting(site.queue) == 1)

    for _ in range(5):
        bell.ring_again([(each, site.queue) for each in jobs])

    assert bell.flush(60)
    assert publisher.waiting(site.queue) == 1


def test_rings_that_a_stopped_broker_has_lost_are_told_of_again(own_redis: Server) -> None:
    broker, jobs = Broker(own_redis.url, "us-east-1"), [uuid4() for _ in range(3)]
    bell, publisher = CeleryBell(broker), RingPublisher(broker)
    bell.ring(jobs[0], "cpu")
    assert bell.flush(60)
    own_redis.stop()
    bell.ring(jobs[1], "cpu")
    assert bell.flush(60)
    own_redis.start()

    bell.ring_again([(each, "cpu") for each in jobs])

    assert bell.flush(60)
    assert publisher.waiting("cpu") == 3


def test_an_outage_is_logged_once_and_its_end_too(
    own_redis: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "adapters.celery")
    bell = CeleryBell(Broker(own_redis.url, "us-east-1"))
    own_redis.stop()
    for _ in range(3):
        bell.ring(uuid4(), "cpu")
        assert bell.flush(60)
    own_redis.start()
    bell.ring(uuid4(), "cpu")
    assert bell.flush(60)

    assert [record.message for record in caplog.records] == [
        "broker of jobs not reachable, workers find jobs in the database",
        "broker of jobs reachable again",
    ]


@pytest.mark.parametrize("scheme", ["redis://", "amqp://guest:guest@", "sqs://a:b@"])
def test_a_broker_that_accepts_connections_and_never_answers_delays_no_caller(scheme: str) -> None:
    with silent_endpoint() as url:
        bell = CeleryBell(Broker(url.replace("http://", scheme), "us-east-1", "http://127.0.0.1:1"))
        bell.ring(uuid4(), "cpu")
        begun = time.monotonic()

        for _ in range(100):
            bell.ring(uuid4(), "cpu")

        assert time.monotonic() - begun < 60, "a hundred waits for the broker take longer"
        assert bell.flush(120), "the thread gives up on the broker"


def test_a_bell_whose_thread_is_stuck_loses_rings_and_keeps_calm() -> None:
    with silent_endpoint() as url:
        bell: JobBellPort = CeleryBell(Broker(url.replace("http://", "redis://"), "us-east-1"))

        for _ in range(3000):
            bell.ring(uuid4(), "cpu")
