"""`transcripts dlq redrive`, killed at random moments, loses no message."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import boto3
import pytest
from moto.backends import get_backend

from ports.queue_port import MAX_RECEIVE
from tests.support.aws.moto_server import moto_server
from tests.support.doubles.delivery import seeded
from tests.support.faults.servers import CREDENTIALS
from tests.support.harness.dead_letters import an_envelope
from tests.support.harness.installed_command import PROGRAM, clean_environment
from tests.support.harness.service import wait_until

ROUNDS = 10
FILLING = 100
REGION = "us-east-1"
ACCOUNT = "123456789012"
"""Account of all callers in moto."""
QUEUE, DEAD_LETTERS = "killed-queue", "killed-dlq"


class Sqs:
    """SQS for processes, with a view of its stored messages, invisible ones included."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client: Any = boto3.client("sqs", endpoint_url=url, region_name=REGION)
        self._urls = {
            name: self._client.create_queue(QueueName=name)["QueueUrl"] for name in (QUEUE, DEAD_LETTERS)
        }
        self.sent: set[str] = set()

    def fill(self, count: int) -> None:
        """Send a number of dead letters."""
        for _ in range(count // MAX_RECEIVE):
            bodies = [an_envelope() for _ in range(MAX_RECEIVE)]
            entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
            self._client.send_message_batch(QueueUrl=self._urls[DEAD_LETTERS], Entries=entries)
            self.sent.update(bodies)

    def stored(self, name: str) -> list[str]:
        """Return the bodies in a queue, invisible ones included."""
        queue = get_backend("sqs")[ACCOUNT][REGION].queues[name]
        return [message.body for message in queue._messages]

    def close(self) -> None:
        """Delete the queues."""
        for url in self._urls.values():
            self._client.delete_queue(QueueUrl=url)


@pytest.fixture
def sqs() -> Iterator[Sqs]:
    with moto_server() as url:
        sqs = Sqs(url)
        yield sqs
        sqs.close()


def _start(sqs: Sqs) -> "subprocess.Popen[bytes]":
    environ = {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": sqs.url,
        "AWS_REGION": REGION,
        "QUEUE_NAME": QUEUE,
        "DLQ_NAME": DEAD_LETTERS,
    }
    return subprocess.Popen(
        [PROGRAM, "dlq", "redrive", "--all", "--max", "1000000"],  # no task of SQS: moto does not run it
        env=clean_environment(**environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _kill_under_way(sqs: Sqs, random: Random) -> bool:
    """Return true if the redrive was killed before its end."""
    before = len(sqs.stored(QUEUE))
    with _start(sqs) as redrive:
        try:
            moment = before + random.uniform(0, 0.3 * FILLING)
            wait_until(lambda: len(sqs.stored(QUEUE)) > moment)
        finally:
            redrive.kill()
        return redrive.wait() == -signal.SIGKILL


@pytest.mark.exhaustive
def test_redrives_killed_at_random_moments_lose_nothing(sqs: Sqs) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")  # noqa: T201 - pytest shows it where the test fails
    random, killed = seeded(seed), 0

    for _ in range(ROUNDS):
        sqs.fill(FILLING)
        killed += _kill_under_way(sqs, random)
        found = Counter(sqs.stored(QUEUE) + sqs.stored(DEAD_LETTERS))
        assert found.keys() == sqs.sent

    assert killed >= ROUNDS / 2
    assert found.total() - len(found) <= killed * MAX_RECEIVE
    assert len(sqs.stored(QUEUE)) >= ROUNDS
