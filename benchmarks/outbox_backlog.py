"""Delivery of a backlog: on each database, and as it grows."""

import os
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks import senders
from benchmarks.events import event_of
from benchmarks.fast_bus import fast_bus
from benchmarks.harness import Contestant, Figures, growth, in_turn, ratios
from benchmarks.report import Line, Plot, Report, Table, Target, compared
from benchmarks.servers import CREDENTIALS
from tests.support.databases.databases import postgresql_server

LATENCY_SECONDS = 0.02
EVENT_BYTES = 1_000
COUNT, ROUNDS = 10_000, 2
SIZES = (1_000, 10_000, 50_000)
BARE, SQLITE, POSTGRESQL = (
    "boto3, batches of ten, threads",
    "SQLite and the relay",
    "PostgreSQL and the relay",
)


def measure() -> Report:
    """Deliver the same backlog from each database in turn, then growing ones from SQLite."""
    os.environ.update(CREDENTIALS)
    events = [event_of(EVENT_BYTES) for _ in range(max(SIZES))]
    with (
        tempfile.TemporaryDirectory() as name,
        postgresql_server(Path(name)) as postgresql,
        fast_bus(LATENCY_SECONDS) as url,
    ):
        few = events[:COUNT]
        contestants: dict[str, Contestant] = {
            BARE: partial(senders.batched, url, few),
            SQLITE: partial(senders.through_sqlite, url, few),
            POSTGRESQL: lambda: senders.drained(url, postgresql.new_url(), few),
        }
        figures = in_turn(contestants, ROUNDS)
        seconds = [size / senders.through_sqlite(url, events[:size]) for size in SIZES]
    return _report(figures, seconds)


def _report(figures: Sequence[Figures], seconds: Sequence[float]) -> Report:
    rows = tuple(
        (f"{size:,}", f"{took:.2f}", f"{size / took:,.0f}") for size, took in zip(SIZES, seconds, strict=True)
    )
    bare, *ours = figures
    return Report(
        notes=(
            f"Events of 1 kB, {LATENCY_SECONDS * 1000:.0f} ms a call; {COUNT:,} events in the first table.",
        ),
        tables=(
            compared(figures, "events/s", beside=BARE),
            Table(("events in the backlog", "seconds", "events/s"), rows),
        ),
        targets=(
            *(Target(f"{each.name}, of {BARE}", ratios(each, bare).median, at_least=0.7) for each in ours),
            Target("exponent of its growth, from 10,000 to 50,000", growth(SIZES, seconds), at_most=1.1),
        ),
        plots=(
            Plot(
                "backlog.svg",
                "events in the backlog",
                "seconds until all are published",
                (Line(SQLITE, SIZES, seconds),),
                logarithmic=True,
            ),
        ),
    )
