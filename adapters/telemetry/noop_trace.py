"""No traces."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from ports.trace_port import NO_SPAN_ATTRIBUTES, Span, SpanAttributes, SpanKind, TracePort


class _NoOpSpan(Span):
    @property
    def traceparent(self) -> str | None:
        return None

    def rename(self, name: str, /) -> None:
        pass

    def annotate(self, attributes: SpanAttributes, /) -> None:
        pass

    def fail(self, error_type: str, /) -> None:
        pass


class NoOpTrace(TracePort):
    """Records nothing; it is the default."""

    @property
    def is_on(self) -> bool:
        """Return False."""
        return False

    def span(
        self,
        name: str,  # noqa: ARG002 - the port's signature
        /,
        kind: SpanKind = SpanKind.INTERNAL,  # noqa: ARG002 - same
        *,
        attributes: SpanAttributes = NO_SPAN_ATTRIBUTES,  # noqa: ARG002 - same
        parent: str | None = None,  # noqa: ARG002 - same
        links: Sequence[str | None] = (),  # noqa: ARG002 - same
        is_current: bool = True,  # noqa: ARG002 - same
    ) -> AbstractContextManager[Span]:
        """Provide a span that ignores all calls."""
        return nullcontext(_NoOpSpan())

    def current(self) -> str | None:
        """Return None."""
        return None
