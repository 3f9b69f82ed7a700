"""Workers that stop in the middle of a job, and jobs that kill their workers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domain.model.jobs import MAX_FAILURES, JobState
from tests.support.brokers.workers import WorkSite
from tests.support.faults.dying import DEADLY
from tests.support.faults.ended_jobs import expire_leases
from tests.support.faults.held_engine import held_engine
from tests.support.faults.takeovers import check_stopped_worker
from tests.support.harness.service import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Callable[..., WorkSite]]:
    """Return a maker of sites whose processes end with the test."""
    sites: list[WorkSite] = []

    def make(**environ: str) -> WorkSite:
        sites.append(WorkSite(tmp_path, None, **environ))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


def test_a_worker_that_wakes_after_its_lease_writes_nothing(new_site: Callable[..., WorkSite]) -> None:
    site = new_site()
    with held_engine() as engine:
        check_stopped_worker(site, engine, lambda: expire_leases(site.environ["DATABASE_URL"]))


def test_a_job_that_kills_its_workers_fails_with_its_recording_and_harms_no_other(
    new_site: Callable[..., WorkSite],
) -> None:
    """celery#9082: such a job brought down one worker after the other."""
    site = new_site(JOB_WORKERS="1", EVENT_KINDS="completed,failed")
    jobs = site.container.job_service()
    (deadly,) = site.submit(metadata={DEADLY: True})
    neighbours = []
    for _ in range(MAX_FAILURES):
        worker = site.dying_worker(DEADLY, "after")
        wait_until(lambda worker=worker: not worker.is_running)  # type: ignore[misc]  # bound in each round
        assert worker.wait() < 0
        expire_leases(site.environ["DATABASE_URL"])
        neighbours += site.submit()

    last = site.dying_worker(DEADLY, "after")
    site.wait_until_all(neighbours, JobState.COMPLETED)
    site.wait_until_all([deadly], JobState.FAILED)

    failed = jobs.find_of_any_tenant(deadly)
    assert failed.problem
    assert failed.problem.reason == "transcriber-crashed"
    assert site.events() == sorted([deadly, *neighbours])
    assert last.stop() == 0
    again = jobs.retry(failed.order.identity.tenant_id, deadly)
    site.worker()  # of a version that the job does not kill
    site.wait_until_all([again.id], JobState.COMPLETED)
    assert site.events() == sorted([deadly, *neighbours, again.id])
