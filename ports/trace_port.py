"""Port of traces: spans of work, and the context that connects those of several processes."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

SpanAttributes = Mapping[str, str | int | float | bool]

NO_SPAN_ATTRIBUTES: SpanAttributes = MappingProxyType({})


class SpanKind(StrEnum):
    """Relation of a span to others, as OpenTelemetry defines it."""

    INTERNAL = "internal"
    SERVER = "server"
    """Serves a request from outside."""
    CLIENT = "client"
    """Waits for another service."""
    PRODUCER = "producer"
    """Creates a message, which is processed later."""
    CONSUMER = "consumer"
    """Processes a message."""


class Span(Protocol):
    """Span that has begun and not ended; every method may be called from any thread, and never raises."""

    @property
    @abstractmethod
    def traceparent(self) -> str | None:
        """Context of the span as W3C Trace Context writes it; None without tracing."""
        ...

    @abstractmethod
    def rename(self, name: str, /) -> None:
        """Give the span another name."""
        ...

    @abstractmethod
    def annotate(self, attributes: SpanAttributes, /) -> None:
        """Add attributes."""
        ...

    @abstractmethod
    def fail(self, error_type: str, /) -> None:
        """Mark the span as failed, by a name of few values, never by a message: it may quote a transcript."""
        ...


class TracePort(Protocol):
    """Traces of work. Neither a span nor its export ever delays the work, or makes it fail.

    A trace context is the text of W3C's header `traceparent`; one that cannot be read counts as None. Spans
    of one context of execution nest: of one thread or task, and of those that start with a copy of its
    context.
    """

    @property
    @abstractmethod
    def is_on(self) -> bool:
        """False if no span is recorded, so that there is nothing to decorate."""
        ...

    @abstractmethod
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
        """Record a span while the context lasts; an error that leaves the context marks it as failed.

        Args:
            name: the operation and its object, of few values: no id, no text of a caller.
            kind: the relation to other spans.
            attributes: what is known at the start.
            parent: the context that the span continues; None: that of the current span, if there is one.
            links: contexts that the span has to do with, although it does not continue them.
            is_current: spans that begin inside are children of this one. False for an asynchronous
                generator, whose steps run inside of its caller.
        """
        ...

    @abstractmethod
    def current(self) -> str | None:
        """Return the context of the current span; None if there is none."""
        ...
