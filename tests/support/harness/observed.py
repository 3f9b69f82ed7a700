"""The service in this process with its metrics: a real outbox and relay, and a stub of the bus."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Table, update

from adapters.telemetry.metrics.instruments import Metrics
from bootstrap.container import Container
from bootstrap.runtime.metrics import observe
from entrypoints.api.app import create_app
from ports.transcriber_port import TranscriberState
from tests.support.doubles.stub_bus import StubBus
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for, wait_until
from tests.support.prometheus.evaluation import History
from tests.support.prometheus.scrapes import Scrape, scraped

SCRAPE_SECONDS = 15.0
"""Time that passes between two scrapes."""


class LosingTranscriber(FixedTranscriber):
    """Transcriber whose worker can be lost."""

    is_ready = True

    def state(self) -> TranscriberState:
        return super().state()._replace(ready_slots=int(self.is_ready))


class ObservedService:
    """A service at work; tests make faults in it and look at its metrics."""

    def __init__(self, api: TestClient, bus: StubBus, transcriber: LosingTranscriber) -> None:
        self.api = api
        self.bus = bus
        self.transcriber = transcriber
        self.container: Container = api.app.state.container  # type: ignore[attr-defined]  # FastAPI's
        self.metrics = metrics_of(self.container)

    def upload(self, path: str = "/batch/process", **options: Any) -> Any:
        """Send a recording."""
        return self.api.post(path, files={"file": ("call.wav", b"sound")}, **options)

    def age(self, table: Table, column: str, seconds: float) -> None:
        """Let rows of the database be older than they are."""
        moved = update(table).values({column: table.c[column] - seconds})
        with self.container.database().engine.begin() as connection:
            connection.execute(moved)

    def scrape(self, at: float = 0.0) -> Scrape:
        """Scrape the metrics of this process."""
        return scraped(self.metrics.registry, at)

    def history(self, fault: Callable[["ObservedService"], object]) -> History:
        """Scrape before and after a fault."""
        before = self.scrape()
        fault(self)
        return History(before, self.scrape(SCRAPE_SECONDS))

    def until(self, name: str, **labels: str) -> None:
        """Wait until a metric is not 0."""
        wait_until(lambda: self.scrape().value(name, **labels))


def metrics_of(container: Container) -> Metrics:
    """Return the metrics of a container with METRICS_PORT."""
    metrics = container.metrics()
    assert metrics is not None
    return metrics


@contextmanager
def observed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **environ: str) -> Iterator[ObservedService]:
    """Run the service with metrics; other processes work on its jobs."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-tests")
    transcriber = LosingTranscriber()
    with StubBus() as bus:
        own = {"EVENT_TRANSPORT": "eventbridge", "AWS_ENDPOINT_URL": bus.url, "METRICS_PORT": "0"}
        container = container_for(tmp_path / "spool", transcriber, JOB_WORKERS="0", **own | environ)
        with TestClient(create_app(container), raise_server_exceptions=False) as api:
            watch = partial(observe, has_transcriber=True, has_uploads=True, keep_seconds=0.0)
            assert api.portal is not None
            api.portal.call(watch, container, metrics_of(container))
            service = ObservedService(api, bus, transcriber)
            wait_until(lambda: container.breaker().held is None)  # the relay has looked at the route
            yield service
