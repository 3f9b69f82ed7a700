"""Senders of events to a bus: each sends all given events, and returns the events a second."""

import gc
import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
from botocore.config import Config

from adapters.aws.batches import packed
from adapters.aws.eventbridge.publisher import (
    DEFAULT_MAX_BYTES,
    EventBridgePublisher,
    entry_size,
    put_events_entry,
)
from adapters.sql.outbox.outbox import SqlOutbox
from benchmarks.fast_http import ROOT
from bootstrap.aws.clients import AwsAccess, relaying_client
from bootstrap.factories.database import prepare_database
from domain.model.events.event import DEFAULT_EVENT_SOURCE, BatchProcessingCompleted, Publication
from domain.services.claim_check import ClaimCheck
from domain.services.relay.dispatcher import DEFAULT_THREADS, BatchDispatcher
from domain.services.relay.relay import Relay
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import MAX_BATCH, EventPort
from tests.support.faults.backlogs import fill

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

REGION = "us-east-1"
GATHERING = ROOT / ".venv-bench" / "bin" / "python"

Events = Sequence[BatchProcessingCompleted]


def naive_loop(url: str, events: Events) -> float:
    """Make one call of boto3 for each event, one after the other."""
    client = _bare_client(url)
    entries = _entries(events)
    begun = time.perf_counter()
    answers = [client.put_events(Entries=[entry]) for entry in entries]
    seconds = time.perf_counter() - begun
    assert not any(answer["FailedEntryCount"] for answer in answers)  # noqa: S101 - a failed run has no figures
    return len(events) / seconds


def batched(url: str, events: Events) -> float:
    """Send prepared full batches with boto3, from as many threads as our relay has; store nothing."""
    client = _bare_client(url)
    batches = [batch.entries for batch in packed(_entries(events), entry_size, DEFAULT_MAX_BYTES)]
    gc.freeze()
    with ThreadPoolExecutor(DEFAULT_THREADS) as threads:
        begun = time.perf_counter()
        answers = list(threads.map(lambda batch: client.put_events(Entries=batch), batches))
        seconds = time.perf_counter() - begun
    assert not any(answer["FailedEntryCount"] for answer in answers)  # noqa: S101 - a failed run has no figures
    return len(events) / seconds


def gathered(url: str, events: Events) -> float:
    """Send with aiobotocore, one call for each event; its botocore differs, so in another environment."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([event.to_json() for event in events], file)
        file.flush()
        command = (str(GATHERING), str(ROOT / "benchmarks" / "gathering.py"), url, file.name)
        return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def direct(url: str, events: Events) -> float:
    """Send with our publisher, from as many threads; store nothing."""
    bus = _our_bus(url)
    chunks = [events[at : at + MAX_BATCH] for at in range(0, len(events), MAX_BATCH)]
    gc.freeze()
    with ThreadPoolExecutor(DEFAULT_THREADS) as threads:
        begun = time.perf_counter()
        outcomes = [outcome for chunk in threads.map(bus.publish_all, chunks) for outcome in chunk]
        seconds = time.perf_counter() - begun
    assert all(isinstance(outcome, Publication) for outcome in outcomes)  # noqa: S101 - a failed run has no figures
    return len(events) / seconds


def through_sqlite(url: str, events: Events) -> float:
    """Send with our relay, from an outbox in a new SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        return drained(url, f"sqlite:///{folder}/{uuid4().hex}.db", events)


def drained(url: str, database_url: str, events: Events) -> float:
    """Return the events a second of a relay that publishes on a bus, from a full outbox on."""
    return relayed(ClaimCheck(_our_bus(url), None), database_url, events)


def relayed(port: EventPort, database_url: str, events: Events) -> float:
    """Return the events a second, from a full outbox until all are published and recorded."""
    database = prepare_database(database_url)
    fill(database, events)
    outbox, breaker = SqlOutbox(database), CircuitBreaker()
    dispatcher = BatchDispatcher(port, breaker)
    relay = Relay(outbox, dispatcher, breaker)
    gc.freeze()  # as the relay's process does; the benchmark's own objects are no garbage
    begun = time.perf_counter()
    while outbox.seconds_until_due() is not None:
        relay.step()
    seconds = time.perf_counter() - begun
    dispatcher.close()
    assert outbox.counts().published == len(events)  # noqa: S101 - a failed run has no figures
    database.close()
    return len(events) / seconds


def _bare_client(url: str) -> "EventBridgeClient":
    config = Config(max_pool_connections=DEFAULT_THREADS)
    return boto3.client("events", region_name=REGION, endpoint_url=url, config=config)


def _our_bus(url: str) -> EventBridgePublisher:
    client = relaying_client(AwsAccess(REGION, url), threads=DEFAULT_THREADS)
    return EventBridgePublisher(client, bus_name="default", source=DEFAULT_EVENT_SOURCE, region=REGION)


def _entries(events: Events) -> "list[PutEventsRequestEntryTypeDef]":
    return [
        put_events_entry(event, bus_name="default", source=DEFAULT_EVENT_SOURCE, labels=())
        for event in events
    ]
