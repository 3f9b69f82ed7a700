"""Injected faults: break the n-th system call of one publish cycle, for n = 1, 2, … up to the last one."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bootstrap.factories.database import prepare_database
from chaos.cycle import REFUSED
from tests.support.faults.bus import RoughBus
from tests.support.faults.checker import PromiseLog, judge
from tests.support.faults.relay_process import drain
from tests.support.faults.servers import CREDENTIALS
from tests.support.faults.webhook import BUSES

ROOT = Path(__file__).parents[1]
FAULTS = {"SIGKILL": "signal=SIGKILL", "EIO": "error=EIO", "ENOSPC": "error=ENOSPC"}
CALLS = ("pwrite64", "fdatasync,fsync", "write", "sendto,sendmsg,send")
CAP = 60
"""Maximum points of each kind."""


class Point(NamedTuple):
    """Result of one break.

    Attributes:
        met: the n-th call was made.
    """

    met: bool
    promised: int
    lost: int
    duplicates: int


class FaultReport(NamedTuple):
    """Sums over all points of one kind."""

    name: str
    tried: int
    promised: int
    lost: int
    duplicates: int


def fault_reports(cap: int = CAP, transport: str = "eventbridge") -> Iterator[FaultReport]:
    """Try every point of every kind."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        prepared = Path(folder) / "prepared"
        prepare_database(f"sqlite:///{prepared}/outbox.db").close()
        for calls in CALLS:
            for fault in FAULTS:
                yield _fault_report(Path(folder), calls, fault, cap, BUSES[transport])


def _fault_report(folder: Path, calls: str, fault: str, cap: int, bus: type[RoughBus]) -> FaultReport:
    points = []
    for number in range(1, cap + 1):
        point = _try(folder, f"{calls}:{FAULTS[fault]}:when={number}", bus)
        if not point.met:
            break
        points.append(point)
    return FaultReport(
        f"{fault} at the n-th {calls.replace(',', ' or ')}",
        len(points),
        sum(point.promised for point in points),
        sum(point.lost for point in points),
        sum(point.duplicates for point in points),
    )


def _try(folder: Path, injection: str, stub: type[RoughBus]) -> Point:
    place = Path(tempfile.mkdtemp(dir=folder))
    shutil.copytree(folder / "prepared", place, dirs_exist_ok=True)
    url, log = f"sqlite:///{place}/outbox.db", PromiseLog(place / "promised")
    with stub() as bus:
        met = run_under_strace(place, injection, "chaos.cycle", url, bus.url)
        for promised in (place / "output").read_text().split():
            log.note(promised)
        drain(url, bus.url)
        verdict = judge(log.ids(), bus.accepted)
    shutil.rmtree(place)
    return Point(met, verdict.promised, len(verdict.lost), verdict.duplicates)


def run_under_strace(place: Path, injection: str, module: str, *arguments: str) -> bool:
    """Run a cycle under strace, with its output in a file; return true if the injection met its call."""
    trace = place / "trace"
    command = (
        "strace",
        "-f",
        "-qq",
        "-o",
        str(trace),
        "-e",
        f"trace={injection.split(':', maxsplit=1)[0]}",
    )
    cycle = (sys.executable, "-m", module, *arguments)
    with (place / "output").open("wb") as output:
        ended = subprocess.run(  # noqa: S603 - our own script
            (*command, "-e", f"inject={injection}", *cycle),
            cwd=ROOT,
            env={**os.environ, **CREDENTIALS, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=output,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    met = "(INJECTED)" in trace.read_text(errors="replace") or ended.returncode == -signal.SIGKILL
    if not met and ended.returncode not in (0, REFUSED):
        sys.exit(f"the cycle failed by itself: exit code {ended.returncode} without {injection}")
    return met
