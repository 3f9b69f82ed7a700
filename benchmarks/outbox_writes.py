"""What an event costs a request before it is safe, beside a bare sync of the same bytes."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from adapters.sql.outbox import SqlOutbox
from benchmarks.outbox_backlog import an_event_of_a_kilobyte
from benchmarks.percentiles import percentiles
from bootstrap.database import prepare_database
from domain.model.events import BatchProcessingCompleted
from tests.databases import PostgreSqlServer

WARM_UP = 20


def measure(folder: Path, postgresql: PostgreSqlServer, count: int) -> None:
    """Write `count` events, each in turn to a file, to SQLite and to PostgreSQL."""
    print(f"the durable write of one event, {count} times, in turn")
    databases = [prepare_database(f"sqlite:///{folder}/writes.db"), prepare_database(postgresql.new_url())]
    sqlite, postgres = map(SqlOutbox, databases)
    with (folder / "bare").open("ab", buffering=0) as file:

        def bare(event: BatchProcessingCompleted) -> None:
            file.write(event.to_json().encode())
            os.fsync(file.fileno())

        ways: dict[str, Callable[[BatchProcessingCompleted], object]] = {
            "bare write and fsync": bare,
            "SQLite": sqlite.add,
            "PostgreSQL": postgres.add,
        }
        seconds = {name: list[float]() for name in ways}
        for _ in range(WARM_UP + count):
            for name, write in ways.items():
                seconds[name].append(_timed(write, an_event_of_a_kilobyte()))
    for database in databases:
        database.close()
    for name, times in seconds.items():
        print(f"  {name:20} {percentiles(times[WARM_UP:])}")


def _timed(write: Callable[[BatchProcessingCompleted], object], event: BatchProcessingCompleted) -> float:
    begun = time.perf_counter()
    write(event)
    return time.perf_counter() - begun
