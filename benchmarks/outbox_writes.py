"""Time to store an event durably, compared with a bare sync of the same bytes."""

import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from adapters.sql.outbox.outbox import SqlOutbox
from benchmarks.events import event_of
from benchmarks.harness import in_turn, percentile
from benchmarks.report import Report, Table, compared
from bootstrap.factories.database import prepare_database
from domain.model.events.event import BatchProcessingCompleted
from tests.support.databases.databases import postgresql_server

EVENT_BYTES = 1_000
WRITES, WARM_UP = 1_000, 20
CALLERS, TOGETHER, ROUNDS = 8, 800, 3

Write = Callable[[BatchProcessingCompleted], object]


def measure() -> Report:
    """Write to a file, to SQLite and to PostgreSQL in turn: one by one, and from several threads."""
    with tempfile.TemporaryDirectory() as name, postgresql_server(Path(name)) as postgresql:
        databases = [prepare_database(f"sqlite:///{name}/a.db"), prepare_database(postgresql.new_url())]
        with Path(name, "bare").open("ab", buffering=0) as file:

            def bare(event: BatchProcessingCompleted) -> None:
                file.write(event.to_json().encode())
                os.fdatasync(file.fileno())

            sqlite, postgres = map(SqlOutbox, databases)
            ways: dict[str, Write] = {
                "bare write and sync": bare,
                "SQLite": sqlite.add,
                "PostgreSQL": postgres.add,
            }
            tables = (_one_by_one(ways), _together(ways))
        for database in databases:
            database.close()
    return Report(tables=tables)


def _one_by_one(ways: dict[str, Write]) -> Table:
    seconds = {name: list[float]() for name in ways}
    for _ in range(WARM_UP + WRITES):
        for name, write in ways.items():
            seconds[name].append(_timed(write, event_of(EVENT_BYTES)))
    rows = (
        (name, *(f"{1000 * percentile(times[WARM_UP:], at):.2f}" for at in (50, 99)))
        for name, times in seconds.items()
    )
    return Table(("one event at a time, ms", "p50", "p99"), tuple(rows))


def _together(ways: dict[str, Write]) -> Table:
    with ThreadPoolExecutor(CALLERS) as threads:

        def rate(write: Write) -> float:
            events = [event_of(EVENT_BYTES) for _ in range(TOGETHER)]
            begun = time.perf_counter()
            list(threads.map(write, events))
            return TOGETHER / (time.perf_counter() - begun)

        figures = in_turn({name: partial(rate, write) for name, write in ways.items()}, ROUNDS)
    table = compared(figures, "events/s", beside="bare write and sync")
    return table._replace(header=(f"from {CALLERS} threads", *table.header[1:]))


def _timed(write: Write, event: BatchProcessingCompleted) -> float:
    begun = time.perf_counter()
    write(event)
    return time.perf_counter() - begun
