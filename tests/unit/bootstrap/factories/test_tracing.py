"""Traces are off unless a collector is configured, and cost nothing then."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.in_memory import InMemoryOutbox
from adapters.sql.jobs.jobs import SqlJobs
from adapters.sql.outbox.outbox import SqlOutbox
from adapters.telemetry.noop_trace import NoOpTrace
from bootstrap.container import build_container
from bootstrap.factories.tracing import NO_TRACE, trace_port, traced_outbox
from bootstrap.logs import TRACE_IDS
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError
from domain.services.jobs.execution import JobExecution
from tests.support.harness.loopback import use_proxy
from tests.support.harness.service import wait_until
from tests.support.telemetry.collector import Collector
from tests.support.telemetry.exports import ended_exports
from tests.support.telemetry.spans import RecordedTrace

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture(autouse=True)
def _exports_end() -> Iterator[None]:
    with ended_exports():
        yield


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, None),
        ({ENDPOINT: " "}, None),
        ({ENDPOINT: "http://collector:4318"}, "http://collector:4318/v1/traces"),
        ({ENDPOINT: "https://collector/otlp/"}, "https://collector/otlp/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces/here"}, "http://traces/here"),
        (
            {ENDPOINT: "http://collector:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://traces/here"},
            "http://traces/here",
        ),
    ],
)
def test_traces_go_where_the_variables_say(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], url: str | None
) -> None:
    settings = Settings.from_env(environ)

    monkeypatch.setattr(TRACE_IDS, "current", lambda: None)

    assert settings.traces_url == url
    assert trace_port(settings).is_on is (url is not None)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_collector_on_this_machine_is_called_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(TRACE_IDS, "current", lambda: None)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    with Collector() as collector, Collector() as proxy:
        use_proxy(monkeypatch, proxy.url)
        here = collector.url.replace("127.0.0.1", host)
        with trace_port(Settings.from_env({ENDPOINT: here})).span("work"):
            pass
        wait_until(lambda: collector.requests or proxy.requests)

        assert (collector.requests, proxy.requests) == (1, 0)


def test_a_collector_elsewhere_is_called_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TRACE_IDS, "current", lambda: None)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    with Collector() as proxy:
        use_proxy(monkeypatch, proxy.url)
        with trace_port(Settings.from_env({ENDPOINT: "http://collector.invalid"})).span("work"):
            pass
        wait_until(lambda: proxy.requests)


def test_an_endpoint_that_is_no_url_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=f"{ENDPOINT}='collector:4317': must begin with http"):
        Settings.from_env({ENDPOINT: "collector:4317"})


def test_an_endpoint_without_the_extra_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("opentelemetry.sdk", "opentelemetry.exporter.otlp"):
        monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(ConfigurationError, match=rf"{ENDPOINT} needs opentelemetry\.sdk.*\.\[otel\]"):
        trace_port(Settings.from_env({ENDPOINT: "http://collector:4318"}))


def test_without_an_endpoint_nothing_is_decorated(tmp_path: Path) -> None:
    container = build_container(Settings.from_env({"DATA_DIR": str(tmp_path), "TRANSCRIBER": "canned"}))

    assert isinstance(container.trace(), NoOpTrace)
    assert type(container.outbox()) is SqlOutbox
    assert type(container.jobs()) is SqlJobs
    assert type(container.job_worker()._execution) is JobExecution
    container.database().close()


def test_a_port_is_decorated_where_traces_are_on() -> None:
    outbox = InMemoryOutbox()

    assert traced_outbox(outbox, NO_TRACE, "default") is outbox
    assert traced_outbox(outbox, RecordedTrace(), "default") is not outbox


@pytest.mark.process
def test_without_an_endpoint_the_sdk_is_not_imported() -> None:
    """FastAPI imports the API of OpenTelemetry, and the library of the container imports FastAPI."""
    code = (
        "import sys\n"
        "import bootstrap.runtime.consumer, bootstrap.runtime.workers, entrypoints.api.app\n"
        "from bootstrap.container import build_container\n"
        "from bootstrap.settings import Settings\n"
        "build_container(Settings.from_env({'EVENT_TRANSPORT': 'memory', 'TRANSCRIBER': 'canned'})).trace()\n"
        "sdk = ('opentelemetry.sdk', 'opentelemetry.exporter', 'requests')\n"
        "print([name for name in sys.modules if name.startswith(sdk)])\n"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout == "[]\n"
