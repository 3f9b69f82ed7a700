"""Processes that are killed or stopped while they work on jobs: every accepted job has exactly one event."""

import os
import signal
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.tables import jobs as rows
from bootstrap.factories.database import prepare_database
from tests.support.doubles.delivery import seeded
from tests.support.doubles.stub_bus import StubBus
from tests.support.faults.checker import PromiseLog
from tests.support.faults.ended_jobs import expire_leases, judge_jobs, take_over, unfinished
from tests.support.faults.job_process import MOMENTS, STEPS, run
from tests.support.faults.killing import kill_again_and_again
from tests.support.faults.relay_process import drain
from tests.support.faults.servers import Server
from tests.support.faults.stopping import stop_between_writes
from tests.support.faults.submitters import Submitters
from tests.support.harness.cases import typical_first
from tests.support.harness.service import wait_until
from tests.support.samples.recordings import record, tone

pytestmark = [pytest.mark.slow, pytest.mark.process]

ROUNDS = 6
TYPICAL = [
    ("claim", "after"),
    ("unit", "before"),
    ("finish", "before"),
    ("finish", "after"),
    ("fail", "before"),
]


@pytest.fixture
def submitters(tmp_path: Path, promises: PromiseLog) -> Submitters:
    return Submitters(record(tmp_path / "a.wav", tone(2.0)).read_bytes(), promises)


@pytest.mark.parametrize(("step", "moment"), typical_first(product(STEPS, MOMENTS), typical=TYPICAL))
def test_a_process_that_is_killed_at_any_step_leaves_one_event(
    database_url: str, step: str, moment: str
) -> None:
    prepare_database(database_url).close()

    code, job_id = run(database_url, step, moment)
    taken_over = take_over(database_url)

    database = prepare_database(database_url)
    records = SqlOutbox(database).records()
    with database.engine.connect() as connection:
        stored = connection.execute(select(rows.c.id, rows.c.state)).all()
    database.close()
    assert code == -signal.SIGKILL
    assert {UUID(job_id)} <= {row.id for row in stored} if job_id else step == "add"
    assert [record.interaction_id for record in records] == [row.id for row in stored]
    has_ended = moment == "after" and step in {"finish", "fail", "cancel"}
    was_leased = (step, moment) not in {("add", "after"), ("claim", "before")}
    expected = [] if has_ended else [int(was_leased) for _ in stored]
    assert [lease.job.failures for lease in taken_over] == expected


def all_have_ended(database_url: str) -> bool:
    """Check from outside, without the forty seconds in which leases of killed servers expire."""
    expire_leases(database_url)
    return not unfinished(database_url)


def one_event_each(promises: PromiseLog, bus: StubBus, *, at_least: int) -> None:
    """Assert that each accepted job has exactly one event, and that there were enough jobs for a test."""
    check = judge_jobs(promises.ids(), tuple(bus.accepted))
    assert (check.without_event, check.with_several) == (frozenset(), frozenset())
    assert check.promised >= at_least


@pytest.mark.exhaustive
@pytest.mark.parametrize("count", [1, 2])
def test_servers_killed_at_random_moments_end_every_accepted_job_once(
    bus: StubBus,
    database_url: str,
    submitters: Submitters,
    promises: PromiseLog,
    new_server: Callable[..., Server],
    tmp_path: Path,
    count: int,
) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")  # noqa: T201 - pytest shows it where the test fails
    common = {"EVENT_KINDS": "completed,failed", "RECORDING_STORE": str(tmp_path / "recordings")}
    servers = [new_server(**common) for _ in range(count)]

    with submitters.submitting([server.url for server in servers]):
        kill_again_and_again(servers, ROUNDS, seeded(seed), promised=lambda: submitters.answers[202])
    wait_until(lambda: all_have_ended(database_url))
    for server in servers:
        server.kill()
    drain(database_url, bus.url)

    one_event_each(promises, bus, at_least=ROUNDS)


@pytest.mark.exhaustive
def test_a_server_that_is_stopped_for_longer_than_its_lease_ends_no_job_twice(
    bus: StubBus,
    database_url: str,
    submitters: Submitters,
    promises: PromiseLog,
    new_server: Callable[..., Server],
    tmp_path: Path,
) -> None:
    common = {"EVENT_KINDS": "completed,failed", "RECORDING_STORE": str(tmp_path / "recordings")}
    first, second = (new_server(**common) for _ in range(2))

    with submitters.submitting([first.url]):
        wait_until(lambda: submitters.answers[202] > 5)
        stop_between_writes(first.pid, database_url)
        try:
            wait_until(lambda: all_have_ended(database_url))  # by the second one
        finally:
            os.killpg(first.pid, signal.SIGCONT)
        before = submitters.answers[202]
        wait_until(lambda: submitters.answers[202] > before)
    wait_until(lambda: all_have_ended(database_url))
    for server in (first, second):
        server.kill()
    drain(database_url, bus.url)

    one_event_each(promises, bus, at_least=5)
