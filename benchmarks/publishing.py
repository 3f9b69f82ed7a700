"""Events a second to the bus, compared with common alternatives."""

import os
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

from benchmarks import senders
from benchmarks.events import event_of
from benchmarks.fast_bus import fast_bus
from benchmarks.fast_http import END_OF_HEAD
from benchmarks.harness import Figures, in_turn, ratios
from benchmarks.report import Line, Plot, Report, Table, Target, compared
from benchmarks.servers import CREDENTIALS
from domain.services.relay.dispatcher import DEFAULT_THREADS
from ports.event_port import MAX_BATCH

LATENCY_SECONDS = 0.02
ROUNDS = 3
COUNTS = {1_000: 10_000, 20_000: 2_000, 100_000: 500}
"""Bytes of an event, and the number of events; slow contestants send fewer."""
NAIVE_COUNT, GATHERED_COUNT = 40, 500
CALLS_FOR_THE_CEILING = 20_000

NAIVE, GATHERED, BATCHED = "boto3, one call an event", "aiobotocore, gather", "boto3, batches of ten, threads"
DIRECT, OUTBOX = "ours, direct", "ours, outbox and relay"


def measure() -> Report:
    """Send events of each size with each contestant, in turn."""
    os.environ.update(CREDENTIALS)
    with fast_bus(LATENCY_SECONDS) as url:
        by_size = {size: in_turn(_contestants(url, size, count), ROUNDS) for size, count in COUNTS.items()}
    note = f"""Events a second, median of {ROUNDS} rounds in turn (lowest to highest). The endpoint takes \
{LATENCY_SECONDS * 1000:.0f} ms a call; without that it takes {ceiling():,.0f} events a second of 1 kB."""
    return Report((note,), _tables(by_size), tuple(_targets(by_size)), (_plot(by_size),))


def _contestants(url: str, size: int, count: int) -> dict[str, Callable[[], float]]:
    events = [event_of(size) for _ in range(count)]
    return {
        NAIVE: partial(senders.naive_loop, url, events[:NAIVE_COUNT]),
        GATHERED: partial(senders.gathered, url, events[:GATHERED_COUNT]),
        BATCHED: partial(senders.batched, url, events),
        DIRECT: partial(senders.direct, url, events),
        OUTBOX: partial(senders.through_sqlite, url, events),
    }


def _tables(by_size: Mapping[int, list[Figures]]) -> tuple[Table, ...]:
    tables = []
    for size, figures in by_size.items():
        table = compared(figures, "events/s", beside=BATCHED)
        tables.append(table._replace(header=(f"{size // 1000} kB an event", *table.header[1:])))
    return tuple(tables)


def _targets(by_size: Mapping[int, list[Figures]]) -> list[Target]:
    targets = []
    for size, figures in by_size.items():
        by_name = {each.name: each for each in figures}
        for theirs, at_least in ((NAIVE, 20), (BATCHED, 0.7)):
            reached = ratios(by_name[OUTBOX], by_name[theirs]).median
            targets.append(Target(f"{OUTBOX}, {size // 1000} kB, of {theirs}", reached, at_least=at_least))
    return targets


def _plot(by_size: Mapping[int, list[Figures]]) -> Plot:
    names = [figures.name for figures in by_size[min(by_size)]]
    medians = {
        name: [each.median for figures in by_size.values() for each in figures if each.name == name]
        for name in names
    }
    lines = tuple(Line(name, tuple(by_size), rates) for name, rates in medians.items())
    return Plot("publishing.svg", "bytes of an event", "events a second", lines, logarithmic=True)


def ceiling() -> float:
    """Return the events a second that the stub accepts from bare sockets: the limit of the measurement."""
    body = b'{"DetailType":"x"}' * MAX_BATCH + b"x" * 1_000 * MAX_BATCH
    request = f"POST / HTTP/1.1\r\nX-Amz-Target: PutEvents\r\nContent-Length: {len(body)}".encode()
    calls = CALLS_FOR_THE_CEILING // DEFAULT_THREADS
    with fast_bus(0) as url, ThreadPoolExecutor(DEFAULT_THREADS) as threads:
        begun = time.perf_counter()
        list(threads.map(lambda _: _blast(url, request + END_OF_HEAD + body, calls), range(DEFAULT_THREADS)))
        return calls * DEFAULT_THREADS * MAX_BATCH / (time.perf_counter() - begun)


def _blast(url: str, request: bytes, calls: int) -> None:
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
        for _ in range(calls):
            connection.sendall(request)
            connection.recv(65536)
