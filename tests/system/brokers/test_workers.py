"""Workers as processes: each job ends once, also where the broker, the worker or a message does not."""

import signal
import socket
from collections.abc import Callable
from itertools import product
from random import Random
from uuid import UUID, uuid4

import pytest
import urllib3
from redis import Redis

from adapters.celery.publisher import RingPublisher
from domain.model.jobs import JobState
from tests.support.brokers.brokers import PASSWORD, RABBITMQ, REDIS, Broker
from tests.support.brokers.workers import WorkerProcess, WorkSite, engine_without_answer
from tests.support.faults.bus import RoughBus
from tests.support.harness.cases import typical_first
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until
from tests.support.prometheus.scrapes import Scrape
from tests.system.brokers.conftest import BROKERS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of the bell, which lives as long as its process
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

RINGS_ALONE = {"JOB_POLL_SECONDS": "3600"}
"""Workers look at the database at their start, and then for an hour only when they are told."""
NewSite = Callable[..., WorkSite]


def ready(worker: WorkerProcess) -> WorkerProcess:
    """Wait until a worker takes messages."""
    return worker.wait_for("ready.")


def tenant_of(site: WorkSite, job_id: UUID) -> UUID:
    tenant: UUID = site.container.job_service().find_of_any_tenant(job_id).order.identity.tenant_id
    return tenant


@pytest.mark.parametrize("kind", BROKERS)
def test_a_worker_finishes_the_jobs_that_it_is_told_of(kind: str, site_on: NewSite) -> None:
    site = site_on(kind, **RINGS_ALONE)
    worker = ready(site.worker())

    jobs = site.submit(5)

    site.wait_until_all(jobs, JobState.COMPLETED)
    assert site.events() == sorted(jobs)
    assert worker.stop() == 0
    assert PASSWORD not in worker.log
    assert "SECRET" not in worker.log


def test_celerys_own_command_runs_a_worker(site_on: NewSite) -> None:
    site = site_on(REDIS, **RINGS_ALONE)
    worker = ready(site.celery_worker("--concurrency", "3"))

    jobs = site.submit(4)

    site.wait_until_all(jobs, JobState.COMPLETED)
    assert "concurrency=3" in worker.log
    assert PASSWORD not in worker.log
    assert worker.stop() == 0


@pytest.mark.parametrize(
    "start", typical_first([WorkSite.worker, WorkSite.celery_worker], typical=[WorkSite.celery_worker])
)
def test_a_worker_serves_its_metrics_until_its_end(
    site_on: NewSite, start: Callable[..., WorkerProcess]
) -> None:
    port = free_port()
    site = site_on(REDIS, **RINGS_ALONE)
    worker = ready(start(site, METRICS_PORT=str(port)))

    site.wait_until_all(site.submit(2), JobState.COMPLETED)
    answer = urllib3.request("GET", f"http://127.0.0.1:{port}/metrics", retries=False)
    scrape = Scrape.of(answer.data.decode())

    assert scrape.value("transcription_seconds_count", engine="canned", outcome="completed") == 2
    assert scrape.value("jobs", state="queued") == 0
    assert worker.stop() == 0
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", f"http://127.0.0.1:{port}/metrics", retries=False)


def test_a_worker_whose_metrics_port_is_taken_does_not_start(site_on: NewSite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        worker = site_on(REDIS, **RINGS_ALONE).worker(METRICS_PORT=port)

        assert worker.wait() == 2

    assert f"METRICS_PORT={port}: cannot listen" in worker.log


def test_rings_that_are_doubled_out_of_order_or_for_no_job_cost_nothing(site_on: NewSite) -> None:
    site = site_on(REDIS, **RINGS_ALONE)
    jobs = site.submit(4)
    rings = [*jobs, *(uuid4() for _ in range(4))] * 5
    Random(7).shuffle(rings)  # noqa: S311 - an order, no secret
    bell = site.bell()
    for each in rings:
        bell.ring(each, site.queue)
    assert bell.flush(60)

    workers = [ready(site.worker()), ready(site.worker())]

    site.wait_until_all(jobs, JobState.COMPLETED)
    later = site.submit()  # comes behind all rings
    site.wait_until_all(later, JobState.COMPLETED)
    assert site.events() == sorted([*jobs, *later])
    started = sum(worker.log.count("job started") for worker in workers)
    assert started == len(jobs) + 1, "each job runs once"


@pytest.mark.parametrize("kind", typical_first([REDIS, RABBITMQ], typical=[REDIS]))
def test_rings_that_come_an_hour_late_for_jobs_that_have_ended_cost_nothing(
    kind: str, site_on: NewSite
) -> None:
    """A broker may keep a message until its job is completed, cancelled or erased."""
    site = site_on(kind, **RINGS_ALONE)
    service = site.container.job_service()
    completed, erased, cancelled = site.submit(3)
    service.cancel(tenant_of(site, cancelled), cancelled)
    worker = ready(site.worker())
    site.wait_until_all([completed, erased], JobState.COMPLETED)
    service.erase(tenant_of(site, erased), erased, requested_by="alice")
    events = site.events()

    bell = site.bell()
    for each in (completed, erased, cancelled):
        bell.ring(each, site.queue)
    assert bell.flush(60)
    later = site.submit()  # comes behind the late rings
    site.wait_until_all(later, JobState.COMPLETED)

    assert site.events() == sorted([*events, *later])
    assert site.states([completed, erased, cancelled]) == [JobState.COMPLETED, None, JobState.CANCELLED]
    assert worker.log.count("job started") == 3
    assert "Traceback" not in worker.log


@pytest.mark.exhaustive
def test_no_broker_delivers_a_message_again_while_its_job_is_at_work(
    own_redis: Broker, new_site: NewSite
) -> None:
    """taskiq-redis#101, pretix#2058: jobs longer than a broker's time-out ran several times at once.

    The message is gone from the broker before the job begins, so that no time-out of its applies.
    """
    site = new_site(own_redis.url, **RINGS_ALONE)
    client = Redis.from_url(own_redis.url)
    with engine_without_answer() as stuck:
        ready(site.worker(**stuck))
        jobs = site.submit()
        site.wait_until_all(jobs, JobState.PROCESSING)

        wait_until(lambda: not client.hlen("unacked"))

        assert not client.zcard("unacked_index")
        assert not RingPublisher(site.broker).waiting(site.queue)
    client.close()


def test_a_dead_broker_costs_delay_alone(own_redis: Broker, new_site: NewSite) -> None:
    own_redis.stop()
    site = new_site(own_redis.url, JOB_POLL_SECONDS="1")
    worker = site.worker().wait_for("Cannot connect")
    jobs = site.submit(3)
    site.wait_until_all(jobs, JobState.COMPLETED)

    own_redis.start()
    ready(worker)
    more = site.submit(3)

    site.wait_until_all(more, JobState.COMPLETED)
    assert site.events() == sorted([*jobs, *more])
    own_redis.stop()
    assert worker.stop() == 0, "it ends without its broker, too"


def test_a_worker_without_its_broker_ends_when_it_is_told_to(own_redis: Broker, new_site: NewSite) -> None:
    own_redis.stop()
    worker = new_site(own_redis.url).worker().wait_for("Cannot connect")

    assert worker.stop() == 0


@pytest.mark.exhaustive
def test_a_worker_whose_connection_is_reset_again_and_again_goes_on(
    own_redis: Broker, new_site: NewSite
) -> None:
    """celery#10302: after resets of Redis an idle worker lived, and took nothing any more."""
    site = new_site(own_redis.url, JOB_WORKERS="1")
    ready(site.worker())
    for _ in range(3):
        own_redis.stop()
        own_redis.start()

    jobs = site.submit()

    site.wait_until_all(jobs, JobState.COMPLETED)


@pytest.mark.parametrize(
    ("broker", "number"),
    typical_first(product([None, REDIS], [signal.SIGTERM, signal.SIGINT]), typical=[(REDIS, signal.SIGTERM)]),
)
def test_a_worker_that_is_stopped_leaves_its_job_to_another(
    broker: str | None, number: signal.Signals, site_on: NewSite, new_site: NewSite
) -> None:
    site = site_on(broker) if broker else new_site(None)
    with engine_without_answer() as stuck:
        first = site.worker(**stuck).wait_for("ready." if broker else "worker ready")
        jobs = site.submit()
        site.wait_until_all(jobs, JobState.PROCESSING)
        assert first.stop(number) == 0, "it does not wait for the end of the job, which never comes"
    assert site.states(jobs) == [JobState.QUEUED]

    site.worker()

    site.wait_until_all(jobs, JobState.COMPLETED)
    assert site.events() == jobs


@pytest.mark.parametrize("number", typical_first([signal.SIGKILL, signal.SIGQUIT], typical=[signal.SIGKILL]))
def test_a_job_of_a_dead_worker_is_taken_over(number: signal.Signals, site_on: NewSite) -> None:
    site = site_on(REDIS)
    with engine_without_answer() as stuck:
        first = ready(site.worker(**stuck))
        jobs = site.submit()
        site.wait_until_all(jobs, JobState.PROCESSING)
        second = ready(site.worker())
        first.stop(number)

    wait_until(lambda: "job started" in second.log)

    site.wait_until_all(jobs, JobState.COMPLETED)
    assert site.events() == jobs


def test_a_worker_of_one_job_takes_one_and_delivers_its_event(new_site: NewSite) -> None:
    with RoughBus() as bus:
        site = new_site(None, AWS_ENDPOINT_URL=bus.url)
        jobs = site.submit(2)

        worker = site.worker("--once", "--json")

        assert worker.wait() == 0
        assert '"state": "completed"' in worker.log
        assert len(bus.accepted) == 1
    assert sorted(map(str, site.states(jobs))) == ["completed", "queued"]


def test_jobs_of_two_queues_reach_the_workers_of_their_queues(site_on: NewSite) -> None:
    site = site_on(REDIS, **RINGS_ALONE)
    other = f"x-{uuid4().hex[:12]}"
    both = ready(site.worker("--queue", other, "--queue", site.queue))
    bell, jobs = site.bell(), site.submit(2)
    bell.ring(uuid4(), other)

    site.wait_until_all(jobs, JobState.COMPLETED)

    publisher = RingPublisher(site.broker)
    wait_until(lambda: not publisher.waiting(other))
    assert both.log.count("job started") == 2


def test_a_worker_of_one_job_says_that_none_is_due(new_site: NewSite) -> None:
    assert new_site(None).worker("--once").wait() == 3


def test_a_worker_of_one_job_that_is_stopped_queues_it_again(new_site: NewSite) -> None:
    site = new_site(None)
    jobs = site.submit()
    with engine_without_answer() as stuck:
        worker = site.worker("--once", **stuck)
        site.wait_until_all(jobs, JobState.PROCESSING)
        assert worker.stop() == 143

    assert site.states(jobs) == [JobState.QUEUED]


def test_a_worker_takes_jobs_of_its_queues_alone(new_site: NewSite) -> None:
    site = new_site(None)
    jobs = site.submit()

    assert site.worker("--once", "--queue", "other").wait() == 3
    assert site.worker("--once", "--queue", "other", "--queue", site.queue).wait() == 0

    assert site.states(jobs) == [JobState.COMPLETED]


def test_a_pool_that_cannot_work_is_refused(site_on: NewSite) -> None:
    worker = site_on(REDIS).celery_worker("--pool", "solo")

    assert worker.wait() == 2
    assert "start the worker with --pool threads" in worker.log


@pytest.mark.parametrize(
    ("environ", "reason"),
    [({"JOB_BROKER": ""}, "needs JOB_BROKER"), ({"TRANSCRIBER": "wisper"}, "TRANSCRIBER='wisper'")],
)
def test_celerys_command_names_a_wrong_setting(
    environ: dict[str, str], reason: str, site_on: NewSite
) -> None:
    worker = site_on(REDIS).celery_worker(**environ)

    assert worker.wait() == 2
    assert reason in worker.log
    assert "Traceback" not in worker.log
