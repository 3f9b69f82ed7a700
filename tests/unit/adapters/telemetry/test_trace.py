"""Both adapters of `TracePort`; and log lines inside of a span."""

import json
from collections.abc import Iterator
from io import StringIO
from logging import getLogger

import pytest

from adapters.telemetry.noop_trace import NoOpTrace
from bootstrap.logs import TRACE_IDS, configure_logging
from bootstrap.settings import Settings
from tests.contracts.trace_port import RecordedSpan, RecordingTracePortContract, TracePortContract, Traces
from tests.support.telemetry.spans import RecordedTrace, links_of, parent_of, traceparent_of


class TestNoOpTrace(TracePortContract):
    @pytest.fixture
    def traces(self) -> Traces:
        return Traces(NoOpTrace(), list)


class TestOpenTelemetryTrace(RecordingTracePortContract):
    @pytest.fixture
    def traces(self) -> Traces:
        trace = RecordedTrace()

        def spans() -> list[RecordedSpan]:
            return [
                RecordedSpan(
                    name=span.name,
                    kind=span.kind.name.lower(),
                    context=traceparent_of(span),
                    parent=parent_of(span),
                    links=links_of(span),
                    attributes=dict(span.attributes or {}),
                    is_failed=not span.status.is_unset,
                    text=span.to_json(),
                )
                for span in trace.spans
            ]

        return Traces(trace, spans)


@pytest.fixture
def log() -> Iterator[StringIO]:
    root = getLogger()
    handlers, level = root.handlers[:], root.level
    stream = StringIO()
    configure_logging(Settings.from_env({"LOG_FORMAT": "json"}), stream=stream)
    yield stream
    root.handlers, root.level = handlers, level


def test_log_lines_inside_of_a_span_carry_its_ids(log: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    trace, logger = RecordedTrace(), getLogger("somewhere")
    monkeypatch.setattr(TRACE_IDS, "current", trace.current)

    logger.info("before")
    with trace.span("outer") as outer:
        logger.info("outside")
        with trace.span("inner") as inner:
            logger.info("inside")
        logger.info("outside again")
    logger.info("after")

    lines = {line["event"]: line for line in map(json.loads, log.getvalue().splitlines())}
    ids = {event: (line.get("trace_id"), line.get("span_id")) for event, line in lines.items()}
    contexts = [tuple((span.traceparent or "").split("-")[1:3]) for span in (outer, inner)]
    assert ids == {
        "before": (None, None),
        "outside": contexts[0],
        "inside": contexts[1],
        "outside again": contexts[0],
        "after": (None, None),
    }
