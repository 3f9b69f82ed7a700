"""`transcripts consume`, killed at random moments: no event is lost, no recorded one is handled twice."""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import boto3
import pytest

from domain.services.consuming.in_flight import MAX_ACK_BATCH
from tests.support.aws.moto_server import moto_server
from tests.support.aws.sqs_queues import create_pair
from tests.support.doubles.delivery import seeded
from tests.support.faults.handled_log import VARIABLE, handled
from tests.support.faults.servers import CREDENTIALS
from tests.support.harness.installed_command import PROGRAM, clean_environment
from tests.support.harness.service import wait_until
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import an_event

ROOT = Path(__file__).parents[3]
ROUNDS = 10
FILLING = 30
CONSUMERS, THREADS = 3, 3
VISIBILITY_TIMEOUT = 10
LONGEST_SECONDS = 0.3
REGION = "us-east-1"
QUEUE, DEAD_LETTERS = "killed-consumers", "killed-consumers-dlq"


class Sqs:
    """SQS of moto with a queue and its dead-letter queue."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client: Any = boto3.client("sqs", endpoint_url=url, region_name=REGION)
        self._queue_url = create_pair(self._client, QUEUE, DEAD_LETTERS)
        self.sent: set[str] = set()
        self._dead: list[str] = []

    def fill(self, count: int) -> None:
        """Send events, every fifth of them twice."""
        for number in range(count):
            event = an_event()
            for _ in range(1 + (number % 5 == 0)):
                self._client.send_message(QueueUrl=self._queue_url, MessageBody=enveloped(event))
            self.sent.add(str(event.interaction_id))

    def is_empty(self) -> bool:
        """Return True if the queue holds no message, hidden ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._client.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=names)
        return not any(int(count) for count in answer["Attributes"].values())

    def dead_letters(self) -> str:
        """Return the bodies of all dead letters so far."""
        url = self._client.get_queue_url(QueueName=DEAD_LETTERS)["QueueUrl"]
        while messages := self._client.receive_message(QueueUrl=url).get("Messages"):
            self._dead += [message["Body"] for message in messages]
        return "".join(self._dead)


@pytest.fixture
def sqs() -> Iterator[Sqs]:
    with moto_server() as url:
        yield Sqs(url)


class Consumers:
    """Consumers of one queue."""

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
        time.sleep(random.uniform(0, LONGEST_SECONDS))  # the random moment is the point of the test
        process.kill()
        process.wait()
        self.killed.add(process.pid)
        self._running[self._running.index(process)] = self._start()

    def finish(self) -> None:
        """Wait until each event has been handled or is a dead letter, and the queue is empty.

        An empty queue alone would not do: its two numbers are not taken at once, so a message that is about
        to be visible again may be in neither.
        """
        wait_until(lambda: not self.missing() and self._sqs.is_empty(), seconds=240)

    def missing(self) -> set[str]:
        """Return the events that have neither been handled nor are dead letters."""
        times = {each for ids in handled(self.log).values() for each in ids}
        dead = self._sqs.dead_letters() if self._sqs.sent - times else ""
        return {each for each in self._sqs.sent - times if each not in dead}

    def close(self) -> None:
        """Kill all consumers."""
        for process in self._running:
            process.kill()
            process.wait()

    def _at_work(self) -> "list[subprocess.Popen[bytes]]":
        """Return the consumers that have handled an event; refill the queue while there are none."""
        at_work = [process for process in self._running if process.pid in handled(self.log)]
        if not at_work and self._sqs.is_empty():
            self._sqs.fill(FILLING)
        return at_work

    def _start(self) -> "subprocess.Popen[bytes]":
        options = {"--visibility-timeout": VISIBILITY_TIMEOUT, "--retry-delay": 1, "--concurrency": THREADS}
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


@pytest.mark.exhaustive
def test_consumers_killed_at_random_moments_lose_nothing_and_repeat_only_unrecorded_events(
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
    times = Counter(each for ids in by_process.values() for each in ids)
    for process, ids in by_process.items():
        repeated = [each for each in ids if times[each] > 1 and _is_not_the_last(each, process, by_process)]
        assert not repeated or process in consumers.killed
        assert set(repeated) <= set(ids[-MAX_ACK_BATCH - THREADS :]), "these had been recorded"
    print(f"{len(times)} handled, {times.total() - len(times)} twice")  # noqa: T201 - same


def _is_not_the_last(interaction_id: str, process: int, by_process: dict[int, list[str]]) -> bool:
    """Return True if a process that began later handled it as well."""
    order = list(by_process)
    return any(interaction_id in by_process[other] for other in order[order.index(process) + 1 :])
