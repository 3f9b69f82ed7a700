"""Traces by OpenTelemetry's SDK."""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType

from opentelemetry import context as otel_context
from opentelemetry import trace as otel
from opentelemetry.context import Context

from ports.trace_port import NO_SPAN_ATTRIBUTES, Span, SpanAttributes, SpanKind, TracePort

_KINDS = {kind: otel.SpanKind[kind.name] for kind in SpanKind}
_NOWHERE = Context()
"""A context without a current span."""
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
"""Any version of W3C's Trace Context; a later one may have more fields."""


class OpenTelemetryTrace(TracePort):
    """Traces of one provider, which exports them."""

    def __init__(self, provider: otel.TracerProvider) -> None:
        self._tracer = provider.get_tracer("batch-transcription")

    @property
    def is_on(self) -> bool:
        """Return True."""
        return True

    def span(
        self,
        name: str,
        /,
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        attributes: SpanAttributes = NO_SPAN_ATTRIBUTES,
        parent: str | None = None,
        links: Sequence[str | None] = (),
        is_current: bool = True,
    ) -> AbstractContextManager[Span]:
        """Record a span."""
        continued = _span_context(parent)
        span = self._tracer.start_span(
            name,
            context=continued and otel.set_span_in_context(otel.NonRecordingSpan(continued), _NOWHERE),
            kind=_KINDS[kind],
            attributes=attributes,
            links=[otel.Link(context) for each in links if (context := _span_context(each))],
        )
        return _Recording(span, is_current=is_current)

    def current(self) -> str | None:
        """Return the context of the SDK's current span."""
        return _traceparent(otel.get_current_span().get_span_context())


class _OpenTelemetrySpan(Span):
    __slots__ = ("_span",)

    def __init__(self, span: otel.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str | None:
        return _traceparent(self._span.get_span_context())

    def rename(self, name: str, /) -> None:
        self._span.update_name(name)

    def annotate(self, attributes: SpanAttributes, /) -> None:
        self._span.set_attributes(attributes)

    def fail(self, error_type: str, /) -> None:
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(otel.StatusCode.ERROR)


class _Recording(AbstractContextManager[Span]):
    """Time of a span; a class, as the SDK's own context managers take as long as the span itself."""

    __slots__ = ("_is_current", "_span", "_token")

    def __init__(self, span: otel.Span, *, is_current: bool) -> None:
        self._span = span
        self._is_current = is_current

    def __enter__(self) -> Span:
        if self._is_current:
            self._token = otel_context.attach(otel.set_span_in_context(self._span))
        return _OpenTelemetrySpan(self._span)

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._is_current:
            otel_context.detach(self._token)
        if isinstance(error, Exception):  # a cancellation is none, and a message may quote a transcript
            _OpenTelemetrySpan(self._span).fail(type(error).__name__)
        self._span.end()


def _span_context(traceparent: str | None) -> otel.SpanContext | None:
    if not traceparent or not (found := _TRACEPARENT.fullmatch(traceparent)):
        return None
    version, trace, span, flags, rest = found.groups()
    if version == "00" and rest:
        return None
    read = otel.SpanContext(
        int(trace, 16), int(span, 16), is_remote=True, trace_flags=otel.TraceFlags(int(flags, 16))
    )
    return read if read.is_valid else None


def _traceparent(context: otel.SpanContext) -> str | None:
    if not context.is_valid:
        return None
    trace, span = otel.format_trace_id(context.trace_id), otel.format_span_id(context.span_id)
    return f"00-{trace}-{span}-{context.trace_flags:02x}"
