"""Chaos run: system calls that fail or kill, and a hundred rounds of kill -9.

    python -m chaos.chaos [--rounds 100] [--points 60] [--transport webhook] [--seed N]

Needs strace, and permission to trace. Exits with code 1 if a promised event was lost.
"""

import os
import statistics
import sys
import tempfile
from pathlib import Path

from chaos.options import options, say
from chaos.points import FaultReport, fault_reports
from tests.integration.localstack import SHARED_FOLDER
from tests.support.doubles.bus_faults import SomeRefused
from tests.support.doubles.delivery import seeded
from tests.support.faults.bus import RoughBus, environ_of
from tests.support.faults.callers import Callers
from tests.support.faults.checker import PromiseLog, judge
from tests.support.faults.killing import kill_again_and_again
from tests.support.faults.relay_process import drain
from tests.support.faults.servers import Server
from tests.support.faults.webhook import BUSES
from tests.support.samples.recordings import record, tone

SERVERS = 2


def main() -> int:
    """Print a line for each kind of break as soon as it is finished."""
    chosen = options(__doc__, rounds=100, rounds_help="how often to kill a server")
    say(f"{'break':38} {'tried':>6} {'promised':>9} {'lost':>5} {'duplicates':>11}")
    lost = sum(_told(report) for report in fault_reports(chosen.points, chosen.transport))
    lost += _told(_rounds(chosen.rounds, chosen.seed, BUSES[chosen.transport]))
    return 1 if lost else 0


def _rounds(rounds: int, seed: int, stub: type[RoughBus]) -> FaultReport:
    """Kill one of two servers on one database file, under load, again and again."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, stub() as bus:
        folder, url = Path(name), f"sqlite:///{name}/transcripts.db"
        os.environ[SHARED_FOLDER] = name  # default folder of the tests' processes
        log = PromiseLog(folder / "promised")
        environ = {"DATABASE_URL": url, **environ_of(bus.url)}
        servers = [Server(folder / f"server-{number}", **environ) for number in range(SERVERS)]
        callers = Callers(record(folder / "a.wav", tone(0.5)).read_bytes(), log)
        try:
            _start(servers)
            bus.fail_always(
                SomeRefused("InternalFailure", share=0.5)
            )  # so that many events depend on the outbox
            with callers.calling([server.url for server in servers]):
                seconds = kill_again_and_again(
                    servers, rounds, seeded(seed), promised=lambda: callers.answers["queued"]
                )
        finally:
            for server in servers:
                server.close()
        bus.fail_always(None)
        drain(url, bus.url)
        verdict = judge(log.ids(), bus.accepted)
    say(f"seed {seed}, {statistics.median(seconds):.1f} s until a server was ready again (median)")
    return FaultReport("kill -9 of a server", rounds, verdict.promised, len(verdict.lost), verdict.duplicates)


def _start(servers: list[Server]) -> None:
    for server in servers:
        server.start()
    for server in servers:
        server.wait_until_ready()


def _told(report: FaultReport) -> int:
    name, tried, promised, lost, duplicates = report
    say(f"{name:38} {tried:6} {promised:9} {lost:5} {duplicates:11}")
    return lost


if __name__ == "__main__":
    sys.exit(main())
