"""Chaos run: system calls that fail or kill, and a hundred rounds of kill -9.

    python -m chaos.chaos [--rounds 100] [--points 60] [--seed N]

Needs strace, and permission to trace. Exits with code 1 if a promised event was lost.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from chaos.points import CAP, FaultReport, fault_reports
from tests.integration.localstack import SHARED_FOLDER
from tests.support.doubles.bus_faults import SomeRefused
from tests.support.doubles.delivery import seeded
from tests.support.faults.bus import RoughBus
from tests.support.faults.callers import Callers
from tests.support.faults.checker import PromiseLog, judge
from tests.support.faults.killing import kill_again_and_again
from tests.support.faults.relay_process import drain
from tests.support.faults.servers import CREDENTIALS, Server
from tests.support.harness.loopback import spare_loopback_from_proxies
from tests.support.samples.recordings import record, tone

SERVERS = 2


def main() -> int:
    """Print a line for each kind of break as soon as it is finished."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100, help="how often to kill a server")
    parser.add_argument("--points", type=int, default=CAP, help="maximum system calls of each kind")
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="seed of the random moments")
    options = parser.parse_args()
    if shutil.which("strace") is None:
        parser.error("strace is not installed")
    os.environ.update(CREDENTIALS)
    spare_loopback_from_proxies()
    _say(f"{'break':38} {'tried':>6} {'promised':>9} {'lost':>5} {'duplicates':>11}")
    lost = sum(_told(report) for report in fault_reports(options.points))
    lost += _told(_rounds(options.rounds, options.seed))
    return 1 if lost else 0


def _rounds(rounds: int, seed: int) -> FaultReport:
    """Kill one of two servers on one database file, under load, again and again."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, RoughBus() as bus:
        folder, url = Path(name), f"sqlite:///{name}/transcripts.db"
        os.environ[SHARED_FOLDER] = name  # default folder of the tests' processes
        log = PromiseLog(folder / "promised")
        environ = {"DATABASE_URL": url, "AWS_ENDPOINT_URL": bus.url}
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
    _say(f"seed {seed}, {statistics.median(seconds):.1f} s until a server was ready again (median)")
    return FaultReport("kill -9 of a server", rounds, verdict.promised, len(verdict.lost), verdict.duplicates)


def _start(servers: list[Server]) -> None:
    for server in servers:
        server.start()
    for server in servers:
        server.wait_until_ready()


def _told(report: FaultReport) -> int:
    name, tried, promised, lost, duplicates = report
    _say(f"{name:38} {tried:6} {promised:9} {lost:5} {duplicates:11}")
    return lost


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
