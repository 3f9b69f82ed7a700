"""`transcripts consume`, killed at random moments, loses no event and handles none twice that it noted."""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import boto3
import pytest
from moto.backends import get_backend
from moto.server import ThreadedMotoServer

from domain.services.consuming.in_flight import SETTLED_TOGETHER
from tests.support.aws.sqs_queues import create_pair
from tests.support.doubles.delivery import seeded
from tests.support.faults.handled_log import VARIABLE, handled
from tests.support.faults.servers import CREDENTIALS
from tests.support.harness.installed_command import PROGRAM, clean_environment
from tests.support.harness.service import wait_until
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import an_event

ROOT = Path(__file__).parents[2]
ROUNDS = 10
FILLING = 30
CONSUMERS, THREADS = 3, 3
VISIBILITY_TIMEOUT = 10
LONGEST_SECONDS = 0.3
REGION, ACCOUNT = "us-east-1", "123456789012"
QUEUE, DEAD_LETTERS = "killed-consumers", "killed-consumers-dlq"


class Sqs:
    """An SQS for processes, and a look past it at what is stored, hidden messages as well."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client: Any = boto3.client("sqs", endpoint_url=url, region_name=REGION)
        self._queue_url = create_pair(self._client, QUEUE, DEAD_LETTERS)
        self.sent: set[str] = set()

    def fill(self, count: int) -> None:
        """Send events; every fifth comes twice."""
        for number in range(count):
            event = an_event()
            for _ in range(1 + (number % 5 == 0)):
                self._client.send_message(QueueUrl=self._queue_url, MessageBody=enveloped(event))
            self.sent.add(str(event.interaction_id))

    def stored(self, name: str) -> list[str]:
        """The bodies in a queue."""
        return [message.body for message in get_backend("sqs")[ACCOUNT][REGION].queues[name]._messages]


@pytest.fixture
def sqs() -> Iterator[Sqs]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Sqs(f"http://{host}:{port}")
    finally:
        server.stop()


class Consumers:
    """Consumers of one queue, one of which is killed again and again."""

    def __init__(self, sqs: Sqs, folder: Path) -> None:
        self._sqs = sqs
        self._folder = folder
        self.log = folder / "handled"
        self.killed: set[int] = set()
        self._running = [self._start() for _ in range(CONSUMERS)]

    def kill_one(self, random: Random) -> None:
        """One that has begun to handle, at some moment after that; another one takes its place."""
        wait_until(self._at_work)
        process = random.choice(self._at_work())
        time.sleep(random.uniform(0, LONGEST_SECONDS))  # the moment is what is tried
        process.kill()
        process.wait()
        self.killed.add(process.pid)
        self._running[self._running.index(process)] = self._start()

    def finish(self) -> None:
        """Wait until the queue is empty."""
        wait_until(lambda: not self._sqs.stored(QUEUE), seconds=240)

    def close(self) -> None:
        """End them."""
        for process in self._running:
            process.kill()
            process.wait()

    def _at_work(self) -> "list[subprocess.Popen[bytes]]":
        """Those that have handled anything; as long as there are none, there is work for all."""
        at_work = [process for process in self._running if process.pid in handled(self.log)]
        if not at_work and not self._sqs.stored(QUEUE):
            self._sqs.fill(FILLING)
        return at_work

    def _start(self) -> "subprocess.Popen[bytes]":
        options = {"--hidden-seconds": VISIBILITY_TIMEOUT, "--pause-seconds": 1, "--concurrency": THREADS}
        arguments = [str(each) for option in options.items() for each in option]
        return subprocess.Popen(
            [PROGRAM, "consume", "--handler", "tests.support.faults.handled_log:handle", *arguments],
            cwd=ROOT,
            env=clean_environment(
                **CREDENTIALS,
                AWS_ENDPOINT_URL=self._sqs.url,
                AWS_REGION=REGION,
                QUEUE_NAME=QUEUE,
                DATABASE_URL=f"sqlite:///{self._folder}/consumers.db",
                LOG_LEVEL="ERROR",
                **{VARIABLE: str(self.log)},
            ),
        )


@pytest.fixture
def consumers(sqs: Sqs, tmp_path: Path) -> Iterator[Consumers]:
    consumers = Consumers(sqs, tmp_path)
    yield consumers
    consumers.close()


def test_consumers_killed_at_random_moments_lose_nothing_and_repeat_only_what_they_had_no_time_to_note(
    sqs: Sqs, consumers: Consumers
) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")  # noqa: T201 - pytest shows it where the test fails
    random = seeded(seed)

    for _ in range(ROUNDS):
        sqs.fill(FILLING)
        consumers.kill_one(random)
    consumers.finish()

    by_process = handled(consumers.log)
    dead = "".join(sqs.stored(DEAD_LETTERS))
    times = Counter(each for ids in by_process.values() for each in ids)
    lost = {each for each in sqs.sent - times.keys() if each not in dead}
    assert lost == set()
    for process, ids in by_process.items():
        repeated = [each for each in ids if times[each] > 1 and _is_not_the_last(each, process, by_process)]
        assert not repeated or process in consumers.killed
        assert set(repeated) <= set(ids[-SETTLED_TOGETHER - THREADS :]), "these had been noted"
    print(f"{len(times)} handled, {times.total() - len(times)} twice, {len(lost)} lost")  # noqa: T201 - same


def _is_not_the_last(interaction_id: str, process: int, by_process: dict[int, list[str]]) -> bool:
    """Whether another process handled it later; they are in the order in which they began."""
    order = list(by_process)
    return any(interaction_id in by_process[other] for other in order[order.index(process) + 1 :])
