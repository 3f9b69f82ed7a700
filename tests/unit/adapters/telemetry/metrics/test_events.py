"""Metered transport: it behaves as the one inside, and counts its outcomes."""

import pytest

from adapters.in_memory import InMemoryEventPublisher
from adapters.noop import NoOpEventPublisher
from adapters.telemetry.metrics.events import MeteredEventPort
from adapters.telemetry.metrics.instruments import Metrics
from domain.model.errors import (
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventPublishError,
    EventRejectedError,
)
from ports.event_port import EventPort
from tests.contracts.event_port import Arrival, Delivery, EventPortContract, Transport
from tests.support.doubles.delivery import AnsweringEventPublisher
from tests.support.doubles.transcription import FailingEventPublisher
from tests.support.prometheus.scrapes import Scrape, scraped
from tests.support.samples.factories import A_MOMENT, an_event


class TestMeteredEventPort(EventPortContract):
    @pytest.fixture
    def transport(self) -> Transport:
        inner = InMemoryEventPublisher()

        def arrivals(_count: int) -> list[Arrival]:
            return [Arrival(*pair) for pair in zip(inner.accepted, inner.labels, strict=True)]

        return Transport(metered(inner, Metrics()), arrivals, Delivery(has_bus=False))


def metered(events: EventPort, metrics: Metrics, seconds_later: float = 0.0) -> MeteredEventPort:
    return MeteredEventPort(events, metrics, path="relay", now=lambda: A_MOMENT.timestamp() + seconds_later)


def publish(events: EventPort, seconds_later: float = 0.0) -> Scrape:
    metrics = Metrics()
    port = metered(events, metrics, seconds_later)
    port.publish_all([an_event(), an_event()])
    return scraped(metrics.registry)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (EventBusUnavailableError("timed out: 3f0e1f5e"), "event-bus-unavailable"),
        (EventBusRefusesUsError("expired"), "event-bus-refuses-us"),
        (EventRejectedError("malformed"), "event-rejected"),
    ],
)
def test_failures_are_counted_by_their_class_and_never_by_their_text(
    error: EventPublishError, name: str
) -> None:
    scrape = publish(FailingEventPublisher(error))

    counts = {
        sample.labels["class"]: sample.value
        for sample in scrape.samples
        if sample.name == "publish_failures_total" and sample.value
    }
    assert counts == {name: 2}
    assert scrape.value("outbox_delivery_seconds_count", path="relay") == 0


def test_a_transport_that_raises_is_counted_and_raises() -> None:
    metrics = Metrics()

    with pytest.raises(RuntimeError):
        metered(FailingEventPublisher(RuntimeError()), metrics).publish_all([an_event()] * 3)

    assert scraped(metrics.registry).value("publish_failures_total", **{"class": "unexpected-error"}) == 3


@pytest.mark.parametrize(("seconds", "bound", "below"), [(4.0, "5.0", "2.5"), (3000.0, "3600.0", "300.0")])
def test_a_delivery_takes_from_the_events_timestamp_until_the_bus_accepts_it(
    seconds: float, bound: str, below: str
) -> None:
    scrape = publish(AnsweringEventPublisher(), seconds)

    assert scrape.value("outbox_delivery_seconds_sum", path="relay") == pytest.approx(2 * seconds)
    assert scrape.value("outbox_delivery_seconds_bucket", path="relay", le=bound) == 2
    assert scrape.value("outbox_delivery_seconds_bucket", path="relay", le=below) == 0


def test_a_clock_that_is_behind_makes_no_negative_time() -> None:
    scrape = publish(AnsweringEventPublisher(), -30.0)

    assert scrape.value("outbox_delivery_seconds_sum", path="relay") == 0
    assert scrape.value("outbox_delivery_seconds_count", path="relay") == 2


def test_events_that_are_dropped_reach_no_bus_and_are_no_failure() -> None:
    scrape = publish(NoOpEventPublisher("a test"))

    assert scrape.value("outbox_delivery_seconds_count", path="relay") == 0
    assert not [each for each in scrape.samples if each.name == "publish_failures_total" and each.value]
