"""Compare requests with and without authentication: the time and the processor time that one takes."""

import contextlib
import http.client
import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.harness import Figures, in_turn, percentile
from benchmarks.report import Report, Table, Target
from benchmarks.servers import CREDENTIALS, Service, service

OPEN, KEY, TOKEN = "`AUTH=open`", "`AUTH=key`", "`AUTH=token`"
MOST_MILLISECONDS = {KEY: 0.3, TOKEN: 0.6}
ROUNDS, REQUESTS = 9, 400
TENANT = "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11"
PATH = "/batch/jobs"
TICKS = os.sysconf("SC_CLK_TCK")
ISSUER = "tests.support.auth.issuer"


class Contestant(NamedTuple):
    """Running service, and the headers of its caller."""

    running: Service
    headers: Mapping[str, str]


class Cost(NamedTuple):
    """Milliseconds of one request."""

    p50: float
    processor: float


def measure() -> Report:
    """Send the same request to each service in turn, one after the other on one connection."""
    costs: dict[str, list[Cost]] = {}

    def ask(name: str, contestant: Contestant) -> float:
        costs.setdefault(name, []).append(_cost(contestant))
        return costs[name][-1].p50

    with _contestants() as them:
        for contestant in them.values():
            _cost(contestant)  # to warm up
        in_turn({name: partial(ask, name, contestant) for name, contestant in them.items()}, ROUNDS)
    return _report(costs)


@contextlib.contextmanager
def _contestants() -> Iterator[dict[str, Contestant]]:
    """Start all services; each is idle while another one is measured."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environ = {**CREDENTIALS, "TRANSCRIBER": "canned", "EVENT_TRANSPORT": "noop", "JOB_WORKERS": "0"}
        start = partial(_start, stack, environ)
        database = {"DATABASE_URL": f"sqlite:///{folder}/keys.db"}
        with_keys = start(AUTH="key", **database)
        them = {
            OPEN: Contestant(start(), {"X-Tenant-ID": TENANT}),
            KEY: Contestant(with_keys, _bearer(_key(database))),
        }
        if find_spec("adapters.auth.tokens") is not None:
            them[TOKEN] = _with_tokens(stack, environ)
        yield them


def _start(stack: contextlib.ExitStack, environ: Mapping[str, str], **others: str) -> Service:
    return stack.enter_context(service({**environ, **others}))


def _key(environ: Mapping[str, str]) -> str:
    program = (str(Path(sys.executable).with_name("transcripts")), "keys", "create", "--tenant", TENANT)
    made = subprocess.run(
        program, env={**os.environ, **environ}, capture_output=True, check=True, encoding="ascii"
    )
    return made.stdout.strip()


def _with_tokens(stack: contextlib.ExitStack, environ: Mapping[str, str]) -> Contestant:
    """Start an issuer, and a service that believes its tokens."""
    support = importlib.import_module(ISSUER)
    issuer = stack.enter_context(support.issuer_server(support.rsa_key()))
    settings = {"AUTH_ISSUER": issuer.url, "AUTH_AUDIENCE": support.AUDIENCE}
    running = _start(stack, environ, AUTH="token", **settings)
    return Contestant(running, _bearer(issuer.token(tenant_id=TENANT)))


def _bearer(credentials: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credentials}"}


def _cost(contestant: Contestant) -> Cost:
    place, seconds = urlsplit(contestant.running.url), list[float]()
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    before = _processor_seconds(contestant.running.pid)
    for _ in range(REQUESTS):
        begun = time.perf_counter()
        connection.request("GET", PATH, headers=dict(contestant.headers))
        answer = connection.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - begun)
        assert answer.status == http.client.OK, answer.status  # noqa: S101 - a failed run has no figures
    spent = _processor_seconds(contestant.running.pid) - before
    connection.close()
    return Cost(1000 * percentile(seconds, 50), 1000 * spent / REQUESTS)


def _processor_seconds(pid: int) -> float:
    """Return the processor time of a process with all its threads, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _report(costs: Mapping[str, list[Cost]]) -> Report:
    rows = tuple(_row(name, costs) for name in costs)
    targets = tuple(
        Target(f"milliseconds that {name} adds, p50", _added(costs, name, "p50").median, at_most=most)
        for name, most in MOST_MILLISECONDS.items()
        if name in costs
    )
    note = (
        f"Milliseconds of `GET {PATH}` without jobs, median of {ROUNDS} rounds of {REQUESTS} requests in turn"
        " (lowest to highest); what is added is the difference, round by round."
    )
    return Report(
        (note,), (Table(("what", "p50", "added", "processor time", "added", "ratio"), rows),), targets
    )


def _row(name: str, costs: Mapping[str, list[Cost]]) -> tuple[str, ...]:
    mine = Figures(name, tuple(cost.p50 for cost in costs[name]))
    spent = Figures(name, tuple(cost.processor for cost in costs[name]))
    theirs = Figures(OPEN, tuple(cost.processor for cost in costs[OPEN]))
    added = (_added(costs, name, field).shown(2) for field in ("p50", "processor"))
    return (
        name,
        mine.shown(2),
        next(added),
        spent.shown(2),
        next(added),
        f"{spent.median / theirs.median:.2f}",
    )


def _added(costs: Mapping[str, list[Cost]], name: str, field: str) -> Figures:
    pairs = zip(costs[name], costs[OPEN], strict=True)
    return Figures(name, tuple(getattr(mine, field) - getattr(other, field) for mine, other in pairs))
