"""Export to a collector, by the wire: what arrives, and what happens while none is there."""

import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from adapters.telemetry.otel.export import TellingExporter, TimedIdGenerator, tracing_to
from tests.support.harness.service import wait_until
from tests.support.telemetry.collector import Collector
from tests.support.telemetry.exports import ended_exports

SERVER_KIND = 2
"""Kind of a server's span on the wire (opentelemetry-proto)."""


@pytest.fixture(autouse=True)
def _exports_end() -> Iterator[None]:
    with ended_exports():
        yield


def test_spans_arrive_with_the_name_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=of-the-tests")
    with Collector() as collector:
        trace = tracing_to(f"{collector.url}/v1/traces")
        with trace.span("outer"), trace.span("inner"):
            pass
        wait_until(lambda: len(collector.spans) == 2)

    inner, outer = collector.spans
    assert (inner.name, inner.trace_id, inner.parent_id) == ("inner", outer.trace_id, outer.span_id)
    assert inner.service == "batch-transcription"
    assert {name.lower(): value for name, value in collector.headers.items()}["api-key"] == "of-the-tests"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OTEL_SERVICE_NAME", "speech"), ("OTEL_RESOURCE_ATTRIBUTES", "service.name=speech,a=b")],
)
def test_the_name_of_the_service_can_be_chosen(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    monkeypatch.setenv(variable, value)
    with Collector() as collector:
        with tracing_to(f"{collector.url}/v1/traces").span("work"):
            pass
        wait_until(lambda: collector.spans)

    assert collector.spans[0].service == "speech"


def test_a_sampler_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")

    with tracing_to("http://127.0.0.1:1/v1/traces").span("work") as span:
        assert span.traceparent
        assert int(span.traceparent[-2:], 16) & 1 == 0


def test_trace_ids_begin_with_the_time() -> None:
    before = int(time.time())

    ids = [TimedIdGenerator().generate_trace_id() for _ in range(1000)]

    assert {each >> 96 for each in ids} <= set(range(before, int(time.time()) + 1))
    assert len(set(ids)) == 1000
    assert max(ids).bit_length() <= 128


@pytest.mark.parametrize("place", ["refuses", "swallows", "fails"])
def test_a_collector_that_takes_nothing_delays_no_span(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "64")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16")
    caplog.set_level(logging.INFO)
    with Collector(swallows=place == "swallows", status=503) as collector:
        url = "http://127.0.0.1:1" if place == "refuses" else collector.url
        trace, began = tracing_to(f"{url}/v1/traces"), time.monotonic()
        for _ in range(5_000):
            with trace.span("work"):
                pass
        seconds = time.monotonic() - began
        wait_until(lambda: "traces cannot be exported" in caplog.text)

    assert seconds < 60  # an export may take 3 s, and there are hundreds: generous
    assert [record.name for record in caplog.records] == ["adapters.telemetry.otel.export"]


class Switchable(SpanExporter):
    """Exporter whose results the test decides."""

    def __init__(self) -> None:
        self.result = SpanExportResult.SUCCESS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - they are dropped
        return self.result

    def shutdown(self) -> None:
        pass


def test_each_outage_is_told_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    inner = Switchable()
    exporter = TellingExporter(inner)

    for result in "SFFFSSFFS":
        inner.result = SpanExportResult.SUCCESS if result == "S" else SpanExportResult.FAILURE
        exporter.export(())

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"] * 2


def test_no_name_of_a_host_is_looked_up_before_the_first_span(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a name was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    assert tracing_to("http://collector.internal:4318/v1/traces").is_on


HANGS_AT_THE_END = """
import sys, time
from adapters.telemetry.otel.export import tracing_to

trace = tracing_to(sys.argv[1])
for _ in range(2048):
    with trace.span("work"):
        pass
print(time.monotonic())
"""


@pytest.mark.process
def test_the_end_of_a_process_waits_for_a_few_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK waits for 30 s."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "64")  # 32 batches of 3 s each
    with Collector(swallows=True) as collector:
        command = [sys.executable, "-c", HANGS_AT_THE_END, f"{collector.url}/v1/traces"]
        result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
        ended = time.monotonic()

    assert ended - float(result.stdout) < 25, result.stderr
