"""Each alert of docs/observability/alerts.yml fires when its fault is made, and none without a fault."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from dependency_injector import providers
from moto import mock_aws

from adapters.in_memory import InMemoryOutbox, InMemoryProcessedEvents
from adapters.sql.schema.tables import jobs, outbox
from adapters.telemetry.metrics.collectors import ConsumerCollector, JwksCollector
from adapters.telemetry.metrics.instruments import Metrics
from bootstrap.runtime.metrics import observe
from domain.model.errors import OutboxUnavailableError, TranscriberCrashedError
from domain.model.outbox import OutboxCounts
from domain.services.consuming.consumer import Consumer, ConsumerOptions
from tests.support.doubles.bus_faults import INTERNAL_ERROR, Refusal
from tests.support.doubles.queue import InMemoryQueue
from tests.support.harness.consumer import SteeredHandler
from tests.support.harness.observed import SCRAPE_SECONDS, ObservedService, metrics_of, observed
from tests.support.harness.service import container_for, wait_until
from tests.support.prometheus.evaluation import History, Rules
from tests.support.prometheus.scrapes import scraped
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import an_event
from tests.unit.domain.services.consuming.test_consumer import RealTime

pytestmark = pytest.mark.slow

RULES = Rules.read(Path(__file__).parents[3] / "docs" / "observability" / "alerts.yml")


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObservedService]:
    with observed(tmp_path, monkeypatch) as service:
        yield service


def bus_is_away(service: ObservedService) -> None:
    service.bus.fail_always(INTERNAL_ERROR)
    service.upload()


def bus_is_away_for_long(service: ObservedService) -> None:
    bus_is_away(service)
    service.age(outbox, "added_at", 301)


def relay_is_paused(service: ObservedService) -> None:
    bus_is_away(service)
    service.container.relay().wake()
    service.until("relay_paused", reason="bus")


def event_is_refused(service: ObservedService) -> None:
    service.bus.fail_always(Refusal("MalformedDetail"))
    assert service.upload().json()["event"]["status"] == "failed"
    wait_until(lambda: service.container.outbox().counts().rejected)


class UnreachableOutbox(InMemoryOutbox):
    def counts(self) -> OutboxCounts:
        raise OutboxUnavailableError("no route to host")


def workers_are_lost(service: ObservedService) -> None:
    service.transcriber.is_ready = False


def keys_are_stale(service: ObservedService) -> None:
    service.metrics.registry.register(JwksCollector(lambda: 1801.0))


def job_waits(service: ObservedService) -> None:
    assert service.upload("/batch/jobs").status_code == 202
    service.age(jobs, "created_at", 1801)


def many_requests_fail(service: ObservedService) -> None:
    service.transcriber.error = TranscriberCrashedError("It died.")
    assert [service.upload().status_code for _ in range(11)] == [500] * 11


FAULTS: dict[str, Callable[[ObservedService], object]] = {
    "EventsWaitTooLong": bus_is_away_for_long,
    "EventsRejected": event_is_refused,
    "AnswersWithFailedEvents": event_is_refused,
    "RelayPaused": relay_is_paused,
    "NoReadyWorker": workers_are_lost,
    "KeysOfIssuerStale": keys_are_stale,
    "JobsWaitTooLong": job_waits,
}


@pytest.mark.parametrize("alert", FAULTS)
def test_the_alert_fires_when_its_fault_is_made(service: ObservedService, alert: str) -> None:
    history = service.history(FAULTS[alert])

    assert RULES.firing(History(history.first, history.first)) == set()
    assert alert in RULES.firing(history)


def test_no_alert_fires_while_all_is_well(service: ObservedService) -> None:
    def work(service: ObservedService) -> None:
        assert [service.upload().json()["event"]["status"] for _ in range(3)] == ["published"] * 3
        service.api.get("/nowhere")
        wait_until(lambda: service.container.outbox().counts().published == 3)

    assert RULES.firing(service.history(work)) == set()


def test_the_error_budget_burns_when_many_requests_fail(service: ObservedService) -> None:
    service.transcriber.error = TranscriberCrashedError("It died.")
    service.upload()  # a series that was not there before has no increase

    few = service.history(lambda each: each.upload())
    many = service.history(many_requests_fail)

    assert RULES.firing(few) == set()
    assert RULES.firing(many) == {
        "ErrorBudgetBurnsFast",
        "ErrorBudgetBurns",
        "ErrorBudgetBurnsSlowly",
    }


def test_a_nearly_full_disk_fires_before_uploads_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with observed(tmp_path, monkeypatch) as service:
        free = service.scrape().value("spool_free_bytes")
        assert free
    with observed(tmp_path, monkeypatch, MIN_FREE_BYTES=str(int(free * 0.6))) as service:
        history = service.history(lambda each: each.upload())

    assert RULES.firing(history) == {"SpoolNearlyFull"}
    assert history.last.value("answers_total", event_status="published") == 1


def test_an_outbox_that_no_process_can_read_fires_although_its_figures_are_absent(tmp_path: Path) -> None:
    container = container_for(tmp_path / "spool", METRICS_PORT="0")
    container.outbox.override(providers.Object(UnreachableOutbox()))
    metrics = metrics_of(container)
    observe(container, metrics, keep_seconds=0.0)

    history = History(scraped(metrics.registry), scraped(metrics.registry, SCRAPE_SECONDS))

    assert RULES.firing(history) == {"OutboxUnseen"}
    assert history.last.value("metrics_scrape_errors_total", source="outbox") == 1  # of the scrape before
    assert history.last.value("metrics_scrape_errors_total", source="jobs") == 0


def test_a_route_without_its_rule_fires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-tests")
    with mock_aws():
        container = container_for(tmp_path / "spool", METRICS_PORT="0", EVENT_TRANSPORT="eventbridge")
        metrics = metrics_of(container)
        observe(container, metrics, keep_seconds=0.0)
        before = scraped(metrics.registry)
        container.relay().step()

        history = History(before, scraped(metrics.registry, SCRAPE_SECONDS))

    assert "RouteBroken" in RULES.firing(history)
    assert history.last.value("route_broken", link="rule") == 1
    assert history.last.value("route_broken", link="bus") == 0
    assert history.first.value("route_broken", link="rule") == 0


def test_a_consumer_whose_handler_fails_for_every_event_fires() -> None:
    queue, handler, metrics = InMemoryQueue(RealTime()), SteeredHandler(), Metrics()
    handler.fails = "the warehouse is away"
    for _ in range(12):
        queue.send(enveloped(an_event()))
    consumer = Consumer(queue, handler, InMemoryProcessedEvents(), options=ConsumerOptions(threads=1))
    metrics.registry.register(ConsumerCollector(consumer, group="warehouse"))
    before = scraped(metrics.registry)
    thread = Thread(target=consumer.run)
    thread.start()
    try:
        wait_until(lambda: consumer.is_paused)
        history = History(before, scraped(metrics.registry, SCRAPE_SECONDS))
    finally:
        consumer.stop()
        thread.join()

    assert "ConsumerPaused" in RULES.firing(history)
    assert (before.value("consumer_paused"), history.last.value("consumer_paused")) == (0, 1)
    failed = history.last.value("consumer_events_total", group="warehouse", outcome="failed")
    assert failed
    assert failed >= 5


def test_each_alert_has_a_fault_here() -> None:
    apart = {"SpoolNearlyFull", "OutboxUnseen", "RouteBroken", "ConsumerPaused"}
    burns = {"ErrorBudgetBurnsFast", "ErrorBudgetBurns", "ErrorBudgetBurnsSlowly"}

    assert set(RULES.alerts) == set(FAULTS) | apart | burns
