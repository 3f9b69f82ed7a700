"""Cost of telemetry for a request: switched off, and switched on.

BASE=folder compares with another checkout as well, such as one without telemetry.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.callers import load
from benchmarks.fast_bus import fast_bus
from benchmarks.fast_collector import fast_collector
from benchmarks.harness import Figures, in_turn, ratios
from benchmarks.report import Report, Table, Target
from benchmarks.servers import CREDENTIALS, Service, server
from tests.support.harness.ports import free_port

RECORDING = Path(__file__).parents[1] / "entrypoints/cli/recordings/demo.ogg"
ROUNDS = 31
SECONDS = 1.5
LATENCY_SECONDS = 0.002
CODE = Path(__file__).parents[1]

BASE, OFF = "base", "off"
METRICS = {"METRICS_PORT": "0"}
MOST_OFF, MOST_ON = 1.01, 1.05
"""Largest cost that is wanted: switched off, of the base; switched on, of off."""


class _Process(NamedTuple):
    pid: int
    parent: int
    ticks: int  # of processor time


def measure() -> Report:
    """Upload short recordings to the service in each way, in turn."""
    with (
        tempfile.TemporaryDirectory() as name,
        fast_bus(LATENCY_SECONDS) as bus,
        fast_collector() as collector,
        _contestants(Path(name), bus, _ways(collector)) as them,
    ):
        waits: dict[str, list[float]] = {each: [] for each in them}
        work = {each: partial(_processor_ms, them[each], waits[each]) for each in them}
        in_turn(work, rounds=1)  # warms up
        for each in waits.values():
            each.clear()
        processor = {figures.name: figures for figures in in_turn(work, ROUNDS)}
    return _report(processor, {name: Figures(name, tuple(values)) for name, values in waits.items()})


def _ways(collector: str) -> dict[str, dict[str, str]]:
    """List the ways to run the service, with their variables."""
    traces = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector}
    return {OFF: {}, "metrics": METRICS, "traces": traces, "metrics and traces": METRICS | traces}


@contextlib.contextmanager
def _contestants(
    folder: Path, bus: str, variables_of: Mapping[str, dict[str, str]]
) -> Iterator[dict[str, Service]]:
    shared = {**CREDENTIALS, "AWS_ENDPOINT_URL": bus, "TRANSCRIBER": "canned"}
    ways = {name: (CODE, variables) for name, variables in variables_of.items()}
    if base := os.environ.get("BASE"):
        ways = {BASE: (Path(base).absolute(), {}), **ways}
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(_service(code, folder / name, {**shared, **variables}))
            for name, (code, variables) in ways.items()
        }


@contextlib.contextmanager
def _service(code: Path, folder: Path, environ: Mapping[str, str]) -> Iterator[Service]:
    """Run `transcripts serve` of a checkout."""
    port = free_port()
    program = (sys.executable, "-P", "-m", "entrypoints.cli", "serve", "--port", str(port))
    with server(program, port, {**environ, "DATA_DIR": str(folder), "PYTHONPATH": str(code)}) as running:
        yield running


def _processor_ms(running: Service, waits: list[float]) -> float:
    """Return the processor time of a request, in the server and its workers; note the median of its answers.

    There is one caller: with several, waiting for each other would hide what a request takes.
    """
    before = _processor_seconds(running.pid)
    loaded = load(running.url, 1, SECONDS, RECORDING)
    waits.append(loaded.milliseconds(50))
    return 1000 * (_processor_seconds(running.pid) - before) / len(loaded.seconds)


def _processor_seconds(pid: int) -> float:
    """Return the processor time of a process and its children so far."""
    family = (each for each in _processes() if pid in {each.pid, each.parent})
    return sum(each.ticks for each in family) / os.sysconf("SC_CLK_TCK")


def _processes() -> Iterator[_Process]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            yield _Process(int(path.parent.name), int(fields[1]), int(fields[11]) + int(fields[12]))


def _report(processor: Mapping[str, Figures], waits: Mapping[str, Figures]) -> Report:
    note = (
        f"One upload of ten seconds after the other to the `canned` engine, for {SECONDS:g} s in each of "
        f"{ROUNDS} rounds in turn: median (lowest to highest), of the server's process and its workers."
    )
    rows = tuple((name, processor[name].shown(2), waits[name].shown(2)) for name in processor)
    targets = [
        target
        for name in processor
        if (beside := _compared_with(name)) in processor
        for target in _targets(name, beside, processor, waits)
    ]
    return Report((note,), (Table(("telemetry", "processor ms", "p50 ms"), rows),), tuple(targets))


def _compared_with(name: str) -> str | None:
    return {BASE: None, OFF: BASE}.get(name, OFF)


def _targets(
    name: str, beside: str | None, processor: Mapping[str, Figures], waits: Mapping[str, Figures]
) -> Iterator[Target]:
    most = MOST_OFF if name == OFF else MOST_ON
    for what, figures in (("processor time", processor), ("p50", waits)):
        if beside is not None:
            reached = ratios(figures[name], figures[beside]).median
            yield Target(f"{what} of a request, {name} of {beside}", reached, at_most=most)
