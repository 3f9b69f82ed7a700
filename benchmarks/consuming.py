"""Compare a consumer whose handler does nothing with a bare boto3 loop: as many threads, the same stub."""

import gc
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
from botocore.config import Config

from adapters.aws.sqs.queue import SqsQueue
from adapters.in_memory import InMemoryProcessedEvents
from adapters.sql.processed_events.processed_events import SqlProcessedEvents
from benchmarks.fast_queue import fast_queue
from benchmarks.harness import Contestant, in_turn, ratios
from benchmarks.report import Report, Target, compared
from benchmarks.servers import CREDENTIALS
from bootstrap.aws.clients import AwsAccess, consuming_client
from bootstrap.factories.database import prepare_database
from domain.model.consuming.received import ReceivedEvent
from domain.services.consuming.consumer import Consumer, ConsumerOptions
from ports.deduplication_port import DeduplicationPort
from ports.event_handler_port import EventHandlerPort
from tests.support.databases.databases import postgresql_server

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef

MESSAGES, THREADS, ROUNDS = 10_000, 8, 7
REGION, BATCH = "us-east-1", 10
BARE = "bare boto3 loop"
ABOUT = (
    "The bare loop parses no envelope and recognises no duplicate. Ours does all of a consumer's work; the "
    "rows differ in the store of handled events."
)


class Idle(EventHandlerPort):
    """Handler that does nothing."""

    def handle(self, received: ReceivedEvent, /) -> None:
        """Do nothing."""


def measure() -> Report:
    """Run each contestant in turn, with its own full queue."""
    os.environ.update(CREDENTIALS)
    gc.freeze()  # as `transcripts consume` does; no collection scans the objects of other contestants
    with tempfile.TemporaryDirectory() as name, postgresql_server(Path(name)) as postgresql:
        contestants: dict[str, Contestant] = {
            BARE: partial(_rate, bare),
            "SQLite": partial(_rate, lambda url: with_database(url, f"sqlite:///{name}/{uuid4().hex}.db")),
            "PostgreSQL": partial(_rate, lambda url: with_database(url, postgresql.new_url())),
            "a memory in the process": partial(_rate, lambda url: ours(url, InMemoryProcessedEvents())),
        }
        theirs, *ours_ = figures = in_turn(contestants, ROUNDS)
    return Report(
        notes=(
            f"{MESSAGES:,} messages of a kilobyte, {THREADS} threads; all receive and delete ten a call.",
            ABOUT,
        ),
        tables=(compared(figures, "messages/s", beside=BARE),),
        targets=tuple(
            Target(f"consumer with {each.name}, of {BARE}", ratios(each, theirs).median, at_least=0.9)
            for each in ours_
        ),
    )


def _rate(contestant: Callable[[str], float]) -> float:
    with fast_queue(MESSAGES) as url:
        return MESSAGES / contestant(url)


def bare(url: str) -> float:
    """Return the seconds to receive and delete all messages, as tutorials do it."""
    client = boto3.client(
        "sqs", region_name=REGION, endpoint_url=url, config=Config(max_pool_connections=THREADS)
    )
    queue = client.get_queue_url(QueueName="fast")["QueueUrl"]

    def loop(_number: int) -> None:
        while True:
            answer = client.receive_message(
                QueueUrl=queue,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=20,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
            messages = answer.get("Messages", [])
            if not messages:
                return
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)
            ]
            client.delete_message_batch(QueueUrl=queue, Entries=entries)

    gc.freeze()
    with ThreadPoolExecutor(THREADS) as pool:
        begun = time.perf_counter()
        list(pool.map(loop, range(THREADS)))
        return time.perf_counter() - begun


def with_database(url: str, database_url: str) -> float:
    """Return the seconds of a consumer that records handled events in a database."""
    with closing(prepare_database(database_url)) as database:
        return ours(url, SqlProcessedEvents(database, group="benchmark"))


def ours(url: str, memory: DeduplicationPort) -> float:
    """Return the seconds until a consumer has handled and deleted all messages."""
    queue = SqsQueue(consuming_client(AwsAccess(REGION, url), threads=THREADS), name="fast")
    gc.freeze()  # as `transcripts consume` does
    consumer = Consumer(queue, Idle(), memory, options=ConsumerOptions(threads=THREADS, drain=True))
    begun = time.perf_counter()
    handled = consumer.run().as_dict()["handled"]
    seconds = time.perf_counter() - begun
    assert handled == MESSAGES  # noqa: S101 - a failed run has no figures
    return seconds
