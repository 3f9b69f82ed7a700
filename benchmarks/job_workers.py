"""Workers as processes: two beside one, the time to the first progress, and the takeover after a kill -9."""

import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.harness import Figures, in_turn, percentile, ratios
from benchmarks.report import Report, Table, Target, compared
from domain.model.jobs import JobState
from tests.support.brokers.workers import WorkSite
from tests.support.databases.databases import postgresql_server
from tests.support.faults.takeovers import READY, own_site
from tests.support.harness.service import wait_until

RECORDINGS, ROUNDS = 40, 2
STARTS, TAKEOVERS = 20, 3


def measure() -> Report:
    """Measure all four, one after the other."""
    with tempfile.TemporaryDirectory() as name, postgresql_server(Path(name)) as postgresql:
        ways = {
            "one worker": partial(_rate, postgresql.new_url(), workers=1),
            "two workers": partial(_rate, postgresql.new_url(), workers=2),
        }
        one, two = in_turn(ways, ROUNDS)
    starts, takeovers = _starts(), _takeovers()
    return Report(
        tables=(
            compared([one, two], "recordings/s", beside="one worker", digits=2),
            Table(
                ("what", "seconds, median (lowest to highest)"),
                (
                    ("from the submission to the first progress", starts.shown(2)),
                    ("from kill -9 to the next worker", takeovers.shown(1)),
                ),
            ),
        ),
        targets=(
            Target("two workers, of one", ratios(two, one).median, at_least=1.8),
            Target("first progress, p95 of 0.5 s", percentile(starts.values, 95) / 0.5, at_most=1.0),
            Target("takeover, of 60 s", max(takeovers.values) / 60, at_most=1.0),
        ),
    )


def _rate(url: str, *, workers: int) -> float:
    """Return the recordings a second of Whisper with so many workers.

    Each has a core of its own, as on machines of their own: free to choose, one worker uses more than one.
    """
    engine = {"TRANSCRIBER": "faster-whisper", "TRANSCRIBER_WORKERS": "1", "JOB_WORKERS": "1"}
    with own_site(DATABASE_URL=url, **engine) as site:
        for core in range(workers):
            site.worker_on(core).wait_for(READY)
        warm = site.submit(workers)
        site.wait_until_all(warm, JobState.COMPLETED)
        site.submit(RECORDINGS)
        begun, counts = time.perf_counter(), site.container.jobs().counts
        while any(counts()[:2]):
            time.sleep(0.1)  # to look more often would take a worker's time
        return RECORDINGS / (time.perf_counter() - begun)


def _starts() -> Figures:
    """Measure how long a free worker of another process takes to begin, as a caller sees it."""
    with own_site() as site:
        site.worker().wait_for(READY)
        site.wait_until_all(site.submit(), JobState.COMPLETED)
        return Figures("start", tuple(_start(site) for _ in range(STARTS)))


def _start(site: WorkSite) -> float:
    (job,) = site.submit()
    begun = time.perf_counter()
    wait_until(lambda: site.states([job]) != [JobState.QUEUED])
    seconds = time.perf_counter() - begun
    site.wait_until_all([job], JobState.COMPLETED)
    return seconds


def _takeovers() -> Figures:
    return Figures("takeover", tuple(_takeover() for _ in range(TAKEOVERS)))


def _takeover() -> float:
    """Kill a worker in the middle of a job, and measure until another one begins it."""
    with own_site(TRANSCRIBER="faster-whisper", JOB_WORKERS="1") as site:
        first = site.worker().wait_for(READY)
        (job,) = site.submit()
        wait_until(lambda: site.states([job]) == [JobState.PROCESSING])
        second = site.worker().wait_for(READY)
        first.kill()
        begun = time.perf_counter()
        second.wait_for("job started")
        return time.perf_counter() - begun
