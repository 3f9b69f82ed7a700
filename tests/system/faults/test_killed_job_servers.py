"""`transcripts serve` that dies at each step of a job: the 202 answers are the terminal events."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import product, starmap
from pathlib import Path
from typing import NamedTuple

import pytest

from domain.model.events.sent import sent_event
from tests.support.doubles.stub_bus import StubBus
from tests.support.faults.checker import PromiseLog
from tests.support.faults.dying import AFTER, BEFORE, STEPS
from tests.support.faults.ended_jobs import expire_leases, unfinished
from tests.support.faults.held_engine import HeldEngine, held_engine, long_speech
from tests.support.faults.relay_process import drain
from tests.support.faults.servers import Server
from tests.support.faults.submitters import Submitters
from tests.support.harness.cases import typical_first
from tests.support.harness.service import wait_until
from tests.support.samples.recordings import record, speech

pytestmark = [pytest.mark.slow, pytest.mark.process]

KEY = "meeting-42"
AT_WORK = {"renew", "unit", "cancel", "queue again"}
"""Steps of a job that is at work for a while."""


class Death(NamedTuple):
    """Step at which a server dies, and the moment beside its COMMIT."""

    step: str
    moment: str


TYPICAL = {Death("accept", AFTER), Death("unit", AFTER), Death("finish", BEFORE)}


@pytest.fixture(
    params=typical_first(starmap(Death, product(STEPS, (BEFORE, AFTER))), typical=TYPICAL), ids=" ".join
)
def death(request: pytest.FixtureRequest) -> Death:
    found: Death = request.param
    return found


@pytest.fixture
def engine(death: Death) -> Iterator[HeldEngine]:
    with held_engine(free=1 if death.step == "unit" else 0) as engine:
        yield engine


@pytest.fixture
def submitters(tmp_path: Path, promises: PromiseLog, death: Death) -> Submitters:
    if death.step == "fail":
        return Submitters(b"no recording at all", promises)
    samples = long_speech() if death.step == "unit" else speech()
    return Submitters(record(tmp_path / "a.wav", samples).read_bytes(), promises)


def test_a_server_that_is_killed_at_any_step_leaves_its_jobs_to_the_next(
    bus: StubBus,
    database_url: str,
    submitters: Submitters,
    promises: PromiseLog,
    new_server: Callable[..., Server],
    tmp_path: Path,
    engine: HeldEngine,
    death: Death,
) -> None:
    step = death.step
    common = {"EVENT_KINDS": "completed,failed", "RECORDING_STORE": str(tmp_path / "recordings")}
    dying = (sys.executable, "-m", "tests.support.faults.dying", *death)
    first = new_server(dying, **common, **(engine.environ if step in AT_WORK else {}))

    job_id = submitters.submit(first.url, key=KEY)
    if step in {"cancel", "queue again"}:
        wait_until(lambda: engine.asked)
    if step == "cancel":
        submitters.cancel(first.url, str(job_id))
    elif step == "queue again":
        os.kill(first.pid, signal.SIGTERM)
    first.wait_until_killed()
    expire_leases(database_url)
    second = new_server(**common)
    again = submitters.submit(second.url, key=KEY)  # as a caller does whose answer was lost
    wait_until(lambda: not unfinished(database_url))
    second.kill()
    drain(database_url, bus.url)

    assert (job_id is None) == (step == "accept")
    assert job_id in {None, again}
    ends = [sent_event(entry["Detail"]) for entry in bus.accepted]
    assert {end.interaction_id for end in ends} == promises.ids()
    assert len({(end.interaction_id, end.status) for end in ends}) == 1
    is_failed = death == ("cancel", AFTER) or step == "fail"
    assert {end.status for end in ends} == {"failed" if is_failed else "completed"}
