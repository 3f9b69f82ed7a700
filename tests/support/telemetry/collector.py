"""A collector of traces: OTLP over HTTP on the loopback interface."""

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import NamedTuple, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class ReceivedSpan(NamedTuple):
    """A span as it came over the wire; ids in hexadecimal digits."""

    name: str
    kind: int
    service: str
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[str, ...]
    """Trace ids of the spans that it is linked to."""
    attributes: Mapping[str, str]
    is_failed: bool


class Collector:
    """Collector at `url`, used as a context manager; it can swallow what it is sent, without an answer.

    Attributes:
        spans: the spans that were received, in this order.
        requests: number of exports.
        headers: the headers of the last export.
    """

    def __init__(self, *, swallows: bool = False, status: int = 200) -> None:
        self.swallows = swallows
        self.status = status
        self.spans: list[ReceivedSpan] = []
        self.requests = 0
        self.headers: Mapping[str, str] = {}
        self.closing = Event()
        self._lock = Lock()
        self._server = _Server(self)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def named(self, name: str) -> list[ReceivedSpan]:
        """Return the spans of one name."""
        with self._lock:
            return [span for span in self.spans if span.name == name]

    def take(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Keep the spans of an export."""
        request = ExportTraceServiceRequest.FromString(body)
        with self._lock:
            self.requests += 1
            self.headers = headers
            for resource in request.resource_spans:
                own = {each.key: each.value.string_value for each in resource.resource.attributes}
                for scope in resource.scope_spans:
                    self.spans += [_received(span, own["service.name"]) for span in scope.spans]


def _received(span: Span, service: str) -> ReceivedSpan:
    return ReceivedSpan(
        name=span.name,
        kind=span.kind,
        service=service,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        links=tuple(link.trace_id.hex() for link in span.links),
        attributes={each.key: str(each.value) for each in span.attributes},
        is_failed=span.status.code == span.status.STATUS_CODE_ERROR,
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, collector: Collector) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.collector = collector

    def handle_error(self, *_: object) -> None:
        """Callers that give up are part of the test."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        collector = self.server.collector
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if collector.swallows:
            collector.requests += 1
            collector.closing.wait()
            return
        if collector.status == 200:
            collector.take(body, dict(self.headers))
        self.send_response(collector.status if self.path == "/v1/traces" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
