"""Middleware that records a span for each request; an upload is one span, however many parts it comes in."""

from http import HTTPMethod

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ports.trace_port import Span, SpanAttributes, SpanKind, TracePort

TRACEPARENT = "traceparent"
_UNTRACED = "/health/"
_OTHER_METHOD = "_OTHER"
_METHODS = frozenset(HTTPMethod)
_SERVER_ERROR = 500


class TraceMiddleware:
    """Records a span for each request, but for those of probes; it continues the trace of the caller.

    Names and attributes are those of OpenTelemetry's stable conventions for HTTP.
    """

    def __init__(self, app: ASGIApp, *, trace: TracePort) -> None:
        self._app = app
        self._trace = trace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request inside of a span; pass on other events."""
        if scope["type"] != "http" or _UNTRACED in scope["path"]:
            await self._app(scope, receive, send)
            return
        attributes, answer = _attributes(scope), _Answer(send)
        name = "HTTP" if attributes["http.request.method"] == _OTHER_METHOD else scope["method"]
        parent = _traceparent(scope)
        with self._trace.span(name, SpanKind.SERVER, attributes=attributes, parent=parent) as span:
            try:
                await self._app(scope, receive, answer)
            finally:
                _describe(span, name, scope, answer.status)


class _Answer:
    """ASGI `send` that notes the status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


def _attributes(scope: Scope) -> SpanAttributes:
    method = scope["method"]
    return {
        "http.request.method": method if method in _METHODS else _OTHER_METHOD,
        "url.scheme": scope["scheme"],
        "url.path": scope["path"],
    }


def _traceparent(scope: Scope) -> str | None:
    """Return the caller's context; one that is given twice is none (Trace Context, section 3.2)."""
    values = Headers(scope=scope).getlist(TRACEPARENT)
    return values[0] if len(values) == 1 else None


def _describe(span: Span, name: str, scope: Scope, status: int | None) -> None:
    """Add what is known at the end: the route, and the status of the answer."""
    known: dict[str, str | int] = {}
    if (route := getattr(scope.get("route"), "path", None)) is not None:
        span.rename(f"{name} {route}")
        known["http.route"] = route
    if status is not None:
        known["http.response.status_code"] = status
    span.annotate(known)
    if status is not None and status >= _SERVER_ERROR:
        span.fail(str(status))
