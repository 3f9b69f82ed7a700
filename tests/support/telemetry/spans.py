"""Traces that are kept in this process."""

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, format_span_id, format_trace_id

from adapters.telemetry.otel.trace import OpenTelemetryTrace


class RecordedTrace(OpenTelemetryTrace):
    """OpenTelemetry's traces, whose spans the test reads."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        super().__init__(provider)

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """Spans that have ended, in this order."""
        return self._exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.spans]

    def only(self, name: str) -> ReadableSpan:
        """Return the one span of this name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found


def traceparent_of(span: ReadableSpan | Link) -> str:
    """Write the context of a span, or of the one that a link leads to."""
    return _written(span.context)


def parent_of(span: ReadableSpan) -> str | None:
    """Write the context of a span's parent."""
    return span.parent and _written(span.parent)


def links_of(span: ReadableSpan) -> list[str]:
    """Write the contexts to which a span is linked."""
    return [traceparent_of(link) for link in span.links]


def _written(context: SpanContext | None) -> str:
    assert context
    trace, span = format_trace_id(context.trace_id), format_span_id(context.span_id)
    return f"00-{trace}-{span}-{context.trace_flags:02x}"
