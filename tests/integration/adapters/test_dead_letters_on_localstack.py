"""Dead letters on LocalStack: SQS's own move, an archive in S3, and redrives with the real command."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from botocore.config import Config

from adapters.aws.s3.dead_letter_archive import S3Archive
from adapters.aws.sqs.move_task import SqsMoveTask
from adapters.aws.sqs.queue import SqsQueue
from tests.contracts import dead_letter_archive_port, move_task_port
from tests.integration.conftest import Names
from tests.support.aws.sqs_queues import ATTRIBUTES, TRACE_HEADER, create_pair, sender
from tests.support.harness.dead_letters import an_envelope
from tests.support.harness.installed_command import transcripts
from tests.support.samples.factories import an_event

PLACES = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


class Queues:
    """Queue with its dead-letter queue, and the command for both."""

    def __init__(self, sqs: Any, names: Names, endpoint: str) -> None:
        self.sqs = sqs
        self.url = create_pair(sqs, names.queue, names.dlq)
        self.dead_url: str = sqs.get_queue_url(QueueName=names.dlq)["QueueUrl"]
        self.queue = SqsQueue(sqs, name=names.queue)
        self.dead_letters = SqsQueue(sqs, name=names.dlq)
        self.environ = {
            **PLACES, "AWS_ENDPOINT_URL": endpoint, "QUEUE_NAME": names.queue, "DLQ_NAME": names.dlq
        }  # fmt: skip

    def fill(self, *bodies: str) -> None:
        """Put messages with attributes into the dead-letter queue."""
        send = sender(self.sqs, self.dead_url)
        for body in bodies:
            send(body)

    def run(self, *arguments: str) -> dict[str, Any]:
        result = transcripts("dlq", *arguments, "--json", **self.environ)
        assert result.returncode == 0, result.stderr
        told: dict[str, Any] = json.loads(result.stdout)
        return told

    def bodies(self, queue: SqsQueue) -> list[str]:
        """Receive and delete all visible messages of a queue."""
        found: list[str] = []
        while held := queue.receive(10, visibility_timeout=60):
            queue.delete(held)
            found += [message.body for message in held]
        return sorted(found)

    @contextmanager
    def failing_consumer(self) -> Iterator[None]:
        """Receive all messages of the queue without handling them, until the end."""
        stop = Event()

        def fail() -> None:
            while not stop.is_set():
                self.queue.release(self.queue.receive(10, visibility_timeout=1))

        consumer = Thread(target=fail)
        consumer.start()
        try:
            yield
        finally:
            stop.set()
            consumer.join()


@pytest.fixture
def queues(aws: Callable[..., Any], names: Names, localstack: str) -> Queues:
    return Queues(aws("sqs", config=Config(max_pool_connections=20)), names, localstack)


class TestSqsMoveTaskOnLocalStack(move_task_port.MoveTaskPortContract):
    @pytest.fixture
    def moving(self, queues: Queues, names: Names) -> move_task_port.Ground:
        def fill(count: int) -> None:
            queues.fill(*map(str, range(count)))

        task = SqsMoveTask(queues.sqs, source=names.dlq, target=names.queue)
        broken = SqsMoveTask(queues.sqs, source="nowhere", target=names.queue)
        return move_task_port.Ground(task, queues.dead_letters, queues.queue, fill, broken)


class TestS3ArchiveOnLocalStack(dead_letter_archive_port.DeadLetterArchivePortContract):
    @pytest.fixture
    def archive(self, aws: Callable[..., Any], names: Names) -> dead_letter_archive_port.Ground:
        s3 = aws("s3", config=Config(s3={"addressing_style": "path"}))
        s3.create_bucket(Bucket=names.queue)
        return dead_letter_archive_port.Ground(
            S3Archive(s3, bucket=names.queue, prefix="a"),
            S3Archive(s3, bucket=names.queue, prefix="a"),
            S3Archive(s3, bucket=f"no-{names.queue}"),
        )


def test_everything_is_moved_by_sqs_with_what_travels_beside_it(queues: Queues) -> None:
    bodies = [an_envelope() for _ in range(12)]
    queues.fill(*bodies)

    assert queues.run("redrive", "--all")["moved"] == 12

    (message,) = queues.sqs.receive_message(
        QueueUrl=queues.url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert message["MessageAttributes"] == ATTRIBUTES
    assert message["Attributes"]["AWSTraceHeader"] == TRACE_HEADER
    assert queues.dead_letters.depth() == (0, 0)
    assert sorted([message["Body"], *queues.bodies(queues.queue)]) == sorted(bodies)


def test_one_tenants_dead_letters_are_moved_by_hand(queues: Queues) -> None:
    mine = uuid4()
    wanted = [an_envelope(an_event(tenant_id=mine)) for _ in range(12)]
    others = [an_envelope() for _ in range(12)]
    queues.fill(*wanted, *others)

    assert queues.run("redrive", "--tenant", str(mine))["moved"] == 12

    assert queues.bodies(queues.queue) == sorted(wanted)
    assert queues.bodies(queues.dead_letters) == sorted(others)


def test_dead_letters_are_archived_in_s3_and_restored(
    queues: Queues, aws: Callable[..., Any], names: Names
) -> None:
    aws("s3", config=Config(s3={"addressing_style": "path"})).create_bucket(Bucket=names.rule)
    bodies = [an_envelope(), "Grüße \u202e", "x" * 2**18]
    queues.fill(*bodies)

    assert queues.run("archive", f"s3://{names.rule}/dead-letters")["messages"] == 3
    assert queues.dead_letters.depth() == (0, 0)
    assert queues.run("restore", f"s3://{names.rule}/dead-letters")["messages"] == 3
    assert queues.bodies(queues.queue) == sorted(bodies)


def test_two_redrives_of_poison_at_once_both_end_and_lose_nothing(queues: Queues) -> None:
    bodies = [an_envelope() for _ in range(60)]
    queues.fill(*bodies)

    with queues.failing_consumer(), ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda _: queues.run("redrive", "--all"), range(2)))

    assert sum(one["moved"] for one in told) >= 60
    assert set(queues.bodies(queues.queue) + queues.bodies(queues.dead_letters)) == set(bodies)
