"""Chaos run of jobs: system calls that fail or kill, and servers that are killed or stopped at random.

    python -m chaos.jobs [--rounds 40] [--points 60] [--seed N]

Needs strace, and permission to trace. Exits with code 1 if an accepted job has not exactly one event, or if
one is processing for longer than a minute without a worker.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from bootstrap.factories.database import prepare_database
from chaos.options import options, say
from chaos.points import CALLS, FAULTS, run_under_strace
from tests.integration.localstack import SHARED_FOLDER
from tests.support.doubles.delivery import seeded
from tests.support.faults.bus import RoughBus
from tests.support.faults.checker import PromiseLog
from tests.support.faults.ended_jobs import (
    TAKEOVER_SECONDS,
    JobsCheck,
    abandoned,
    judge_jobs,
    take_over,
    unfinished,
)
from tests.support.faults.relay_process import drain
from tests.support.faults.servers import Server
from tests.support.faults.stopping import stop_between_writes
from tests.support.faults.submitters import Submitters
from tests.support.harness.service import wait_until
from tests.support.samples.recordings import record, tone

SERVERS = 2
STOP_EVERY = 10
"""One break of so many is a stop, which takes long."""
STOPPED_SECONDS = 90.0
"""Longer than a lease: another server takes the jobs over meanwhile."""
END_SECONDS = 600.0


def main() -> int:
    """Print a line for each kind of break as soon as it is finished."""
    chosen = options(__doc__, rounds=40, rounds_help="how often to kill or stop a server")
    say(f"{'break':38} {'tried':>6} {'accepted':>9} {'no event':>9} {'several':>8} {'duplicates':>11}")
    broken = sum(_points(chosen.points)) + _told("kill -9 and SIGSTOP", chosen.rounds, _rounds(chosen))
    return 1 if broken else 0


def _points(cap: int) -> Iterator[int]:
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        folder = Path(name)
        prepare_database(f"sqlite:///{folder}/prepared/jobs.db").close()
        for calls in CALLS[:-1]:  # no call of the network is made
            for fault, effect in FAULTS.items():
                checks = list(_until_none_is_met(folder, f"{calls}:{effect}", cap))
                together = JobsCheck(
                    sum(check.promised for check in checks),
                    frozenset().union(*(check.without_event for check in checks)),
                    frozenset().union(*(check.with_several for check in checks)),
                    sum(check.duplicates for check in checks),
                )
                yield _told(f"{fault} at the n-th {calls.replace(',', ' or ')}", len(checks), together)


def _until_none_is_met(folder: Path, fault: str, cap: int) -> Iterator[JobsCheck]:
    for number in range(1, cap + 1):
        check = _break(folder, f"{fault}:when={number}")
        if check is None:
            return
        yield check


def _break(folder: Path, injection: str) -> JobsCheck | None:
    """Break one system call; None if there are fewer."""
    place = Path(tempfile.mkdtemp(dir=folder))
    shutil.copytree(folder / "prepared", place, dirs_exist_ok=True)
    url, log = f"sqlite:///{place}/jobs.db", PromiseLog(place / "promised")
    with RoughBus() as bus:
        is_met = run_under_strace(place, injection, "chaos.job_cycle", url, bus.url)
        for promised in (place / "output").read_text().split():
            log.note(promised)
        take_over(url)
        drain(url, bus.url)
        check = judge_jobs(log.ids(), bus.accepted)
    shutil.rmtree(place)
    return check if is_met else None


def _rounds(chosen: argparse.Namespace) -> JobsCheck:
    """Kill or stop one of two servers on one database file, under load, again and again."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, RoughBus() as bus:
        folder, url = Path(name), f"sqlite:///{name}/transcripts.db"
        os.environ[SHARED_FOLDER] = name  # default folder of the tests' processes
        log = PromiseLog(folder / "promised")
        environ = {
            "DATABASE_URL": url,
            "AWS_ENDPOINT_URL": bus.url,
            "EVENT_KINDS": "completed,failed",
            "RECORDING_STORE": str(folder / "recordings"),
        }
        servers = [Server(folder / f"server-{number}", **environ) for number in range(SERVERS)]
        submitters = Submitters(record(folder / "a.wav", tone(2.0)).read_bytes(), log)
        try:
            _start(servers)
            with submitters.submitting([server.url for server in servers]):
                _break_servers(servers, chosen.rounds, seeded(chosen.seed), url)
            begun = time.monotonic()
            wait_until(lambda: not unfinished(url), seconds=END_SECONDS)
        finally:
            for server in servers:
                server.close()
        drain(url, bus.url)
        say(f"seed {chosen.seed}, all jobs had ended {time.monotonic() - begun:.1f} s after the last break")
        return judge_jobs(log.ids(), bus.accepted)


def _break_servers(servers: list[Server], rounds: int, random: Random, database_url: str) -> None:
    for number in range(rounds):
        server = random.choice(servers)
        time.sleep(random.uniform(0.1, 3.0))  # at a random moment
        if number % STOP_EVERY == STOP_EVERY - 1:
            _stop(server, database_url)
        else:
            server.kill()
            server.start()
            server.wait_until_ready()
        _check_takeover(database_url)


def _stop(server: Server, database_url: str) -> None:
    """Stop a server for longer than its leases are valid, while the other one works."""
    stop_between_writes(server.pid, database_url)
    try:
        until = time.monotonic() + STOPPED_SECONDS
        while time.monotonic() < until:
            time.sleep(1)
            _check_takeover(database_url)
    finally:
        os.killpg(server.pid, signal.SIGCONT)


def _check_takeover(database_url: str) -> None:
    if number := abandoned(database_url):
        sys.exit(f"{number} jobs are processing for longer than {TAKEOVER_SECONDS:.0f} s without a worker")


def _start(servers: list[Server]) -> None:
    for server in servers:
        server.start()
    for server in servers:
        server.wait_until_ready()


def _told(name: str, tried: int, check: JobsCheck) -> int:
    without, several = len(check.without_event), len(check.with_several)
    say(f"{name:38} {tried:6} {check.promised:9} {without:9} {several:8} {check.duplicates:11}")
    return check.broken


if __name__ == "__main__":
    sys.exit(main())
