"""Figures of slow and unavailable sources: a scrape goes on without them."""

from collections.abc import Callable
from threading import Event

import pytest

from adapters.telemetry.metrics.figure_reader import FigureReader
from adapters.telemetry.metrics.instruments import Metrics
from domain.model.errors import OutboxUnavailableError
from tests.support.doubles.queue import Clock
from tests.support.harness.service import wait_until
from tests.support.prometheus.scrapes import scraped


class Source:
    """Source that counts its reads; may fail or hang."""

    def __init__(self) -> None:
        self.reads = 0
        self.error: Exception | None = None
        self.does: Callable[[], object] = lambda: None

    def __call__(self) -> int:
        self.reads += 1
        self.does()
        if self.error is not None:
            raise self.error
        return self.reads


class Setup:
    def __init__(self, patience_seconds: float = 60.0) -> None:
        self.source, self.clock, self.metrics = Source(), Clock(), Metrics()
        self.reading = FigureReader(
            "outbox",
            self.source,
            self.metrics,
            keep_seconds=5.0,
            patience_seconds=patience_seconds,
            clock=self.clock,
        )

    @property
    def errors(self) -> float | None:
        return scraped(self.metrics.registry).value("metrics_scrape_errors_total", source="outbox")


def test_a_figure_is_kept_for_a_while_and_then_read_again() -> None:
    setup = Setup()

    first, second = setup.reading.value(), setup.reading.value()
    setup.clock.advance(5.0)

    assert (first, second, setup.reading.value()) == (1, 1, 2)
    assert setup.errors == 0


def test_a_failure_is_absent_counted_and_kept_as_well(caplog: pytest.LogCaptureFixture) -> None:
    setup = Setup()
    setup.source.error = OutboxUnavailableError("no route to host")

    assert [setup.reading.value() for _ in range(3)] == [None] * 3

    assert (setup.source.reads, setup.errors) == (1, 3)
    (record,) = caplog.records
    assert (record.levelname, record.__dict__["error"]) == ("WARNING", "no route to host")


def test_it_recovers_with_its_source() -> None:
    setup = Setup()
    setup.source.error = RuntimeError("a defect")
    assert setup.reading.value() is None

    setup.source.error = None
    setup.clock.advance(5.0)

    assert setup.reading.value() == 2


def test_a_source_that_hangs_delays_no_scrape_and_is_asked_by_one_thread_only() -> None:
    setup, go_on = Setup(patience_seconds=0.01), Event()
    setup.source.does = lambda: go_on.wait(60)
    try:
        assert [setup.reading.value() for _ in range(3)] == [None] * 3
        assert (setup.source.reads, setup.errors) == (1, 3)
    finally:
        go_on.set()
    wait_until(lambda: setup.reading.value() == 1)
