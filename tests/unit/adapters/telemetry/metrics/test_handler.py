"""Metered handler: it behaves as the one inside, and measures it."""

import pytest

from adapters.telemetry.metrics.handler import MeteredEventHandler
from adapters.telemetry.metrics.instruments import Metrics
from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import HandlerError
from domain.model.events.event import BatchProcessingCompleted
from tests.contracts.event_handler_port import EventHandlerPortContract, Handler
from tests.support.harness.consumer import SteeredHandler
from tests.support.prometheus.scrapes import scraped
from tests.support.samples.factories import an_event


class TestMeteredEventHandler(EventHandlerPortContract):
    @pytest.fixture
    def handler(self) -> Handler:
        inner, broken = SteeredHandler(), SteeredHandler()
        broken.fails = "the disk is full"

        def handled() -> list[BatchProcessingCompleted]:
            return [event for event in inner.events if isinstance(event, BatchProcessingCompleted)]

        return Handler(
            MeteredEventHandler(inner, Metrics(), group="crm"),
            handled,
            MeteredEventHandler(broken, Metrics(), group="crm"),
        )


def test_each_call_is_measured_also_where_it_fails() -> None:
    inner, metrics = SteeredHandler(), Metrics()
    handler = MeteredEventHandler(inner, metrics, group="crm")

    handler.handle(ReceivedEvent(an_event()))
    inner.fails = "the disk is full"
    with pytest.raises(HandlerError):
        handler.handle(ReceivedEvent(an_event()))

    assert scraped(metrics.registry).value("consumer_seconds_count", group="crm") == 2


def test_an_abort_reaches_the_handler() -> None:
    inner, aborted = SteeredHandler(), list[bool]()
    inner.when_aborted = lambda: aborted.append(True)

    MeteredEventHandler(inner, Metrics(), group="crm").abort()

    assert aborted == [True]
