"""A backlog that is drained through an endpoint with a latency, beside a bare boto3 loop."""

import gc
import socket
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
from botocore.config import Config

from adapters.aws.event_bridge import EventBridgePublisher
from adapters.aws.event_entry import put_events_entry
from adapters.sql.outbox import SqlOutbox
from benchmarks.fast_bus import END_OF_HEAD, fast_bus
from bootstrap.aws import AwsAccess, relaying_client
from bootstrap.database import prepare_database
from domain.model.events import DEFAULT_EVENT_SOURCE, BatchProcessingCompleted
from domain.services.circuit_breaker import CircuitBreaker
from domain.services.claim_check import ClaimCheck
from domain.services.claim_publisher import CHUNK, DEFAULT_THREADS, ClaimPublisher
from domain.services.relay import Relay
from tests.databases import PostgreSqlServer
from tests.factories import an_event
from tests.faults.backlogs import fill

LATENCY_SECONDS = 0.02
REGION = "us-east-1"
EVENT_BYTES = 1_000
CALLS_FOR_THE_CEILING = 20_000


def an_event_of_a_kilobyte() -> BatchProcessingCompleted:
    """An event whose JSON has about a thousand bytes."""
    words = "so you should have it by tomorrow afternoon " * 10
    return an_event(raw_transcript=words[:345], cleaned_transcript=words[:345])


def measure(folder: Path, postgresql: PostgreSqlServer, count: int, rounds: int) -> None:
    """Drain `count` events again and again, in turn: bare, SQLite, PostgreSQL."""
    events = [an_event_of_a_kilobyte() for _ in range(count)]
    size = statistics.mean(len(event.to_json().encode()) for event in events[:100])
    print(
        f"a backlog of {count} events of {size:.0f} bytes, {LATENCY_SECONDS * 1000:.0f} ms a call, ", end=""
    )
    print(f"{DEFAULT_THREADS} threads; the stub without latency takes {_ceiling() * CHUNK:.0f} events/s")
    with fast_bus(LATENCY_SECONDS) as url:
        contestants: dict[str, Callable[[], float]] = {
            "bare boto3 loop": lambda: _bare(url, events),
            "SQLite": lambda: _drained(url, f"sqlite:///{folder}/{uuid4().hex}.db", events),
            "PostgreSQL": lambda: _drained(url, postgresql.new_url(), events),
        }
        rates = {name: list[float]() for name in contestants}
        for _ in range(rounds):
            for name, contestant in contestants.items():
                rates[name].append(count / contestant())
    _report(rates)


def _report(rates: dict[str, list[float]]) -> None:
    bare = rates["bare boto3 loop"]
    for name, ours in rates.items():
        ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
        spread = f"{min(ours):.0f} to {max(ours):.0f}"
        print(f"  {name:20} {statistics.median(ours):7.0f} events/s ({spread})  {ratio:6.2f} of bare")


def _bare(url: str, events: Sequence[BatchProcessingCompleted]) -> float:
    """Seconds for sending the same batches, made beforehand, from as many threads."""
    config = Config(max_pool_connections=DEFAULT_THREADS)
    client = boto3.client("events", region_name=REGION, endpoint_url=url, config=config)
    entries = [
        put_events_entry(event, bus_name="default", source=DEFAULT_EVENT_SOURCE, labels=())
        for event in events
    ]
    batches = [entries[at : at + CHUNK] for at in range(0, len(entries), CHUNK)]
    gc.freeze()
    with ThreadPoolExecutor(DEFAULT_THREADS) as threads:
        begun = time.perf_counter()
        answers = list(threads.map(lambda batch: client.put_events(Entries=batch), batches))
        seconds = time.perf_counter() - begun
    assert not any(answer["FailedEntryCount"] for answer in answers)  # noqa: S101 - failures are worth nothing
    return seconds


def _drained(url: str, database_url: str, events: Sequence[BatchProcessingCompleted]) -> float:
    """Seconds until a relay has published and recorded everything."""
    database = prepare_database(database_url)
    fill(database, events)
    outbox, breaker = SqlOutbox(database), CircuitBreaker()
    client = relaying_client(AwsAccess(REGION, url), threads=DEFAULT_THREADS)
    bus = EventBridgePublisher(client, bus_name="default", source=DEFAULT_EVENT_SOURCE, region=REGION)
    publisher = ClaimPublisher(ClaimCheck(bus, None), breaker)
    relay = Relay(outbox, publisher, breaker)
    gc.freeze()  # as the relay's process does; what the benchmark holds is nobody's garbage
    begun = time.perf_counter()
    while outbox.seconds_until_due() is not None:
        relay.step()
    seconds = time.perf_counter() - begun
    publisher.close()
    assert outbox.counts().published == len(events)  # noqa: S101 - failures are worth nothing
    database.close()
    return seconds


def _ceiling() -> float:
    """Calls a second that the stub answers to bare sockets: how far it is from being what is measured."""
    body = b'{"DetailType":"x"}' * CHUNK + b"x" * EVENT_BYTES * CHUNK
    request = f"POST / HTTP/1.1\r\nX-Amz-Target: PutEvents\r\nContent-Length: {len(body)}".encode()
    calls = CALLS_FOR_THE_CEILING // DEFAULT_THREADS
    with fast_bus(0) as url, ThreadPoolExecutor(DEFAULT_THREADS) as threads:
        begun = time.perf_counter()
        list(threads.map(lambda _: _blast(url, request + END_OF_HEAD + body, calls), range(DEFAULT_THREADS)))
        return calls * DEFAULT_THREADS / (time.perf_counter() - begun)


def _blast(url: str, request: bytes, calls: int) -> None:
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
        for _ in range(calls):
            connection.sendall(request)
            connection.recv(65536)
