"""Endpoint of a webhook on this machine: keeps connections open, and notes each request byte for byte."""

import contextlib
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

from domain.model.events.sent import SentEvent, sent_event
from tests.contracts.event_port import Arrival

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMh"


class Received(NamedTuple):
    """A request as it came."""

    path: str
    headers: dict[str, str]  # with names in small letters
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The CloudEvent."""
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def event(self) -> SentEvent:
        return sent_event(json.dumps(self.document["data"]))

    @property
    def arrival(self) -> Arrival:
        """The event as a consumer sees it."""
        labels = str(self.document.get("labels", "")).split()
        return Arrival(self.event, tuple(labels))


class Reply(NamedTuple):
    """Answer to a request."""

    status: int = 204
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class WebhookServer:
    """Endpoint that takes every event, until a test says how to answer."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.accepted: list[Received] = []  # those that were answered with 2xx
        self.connections = 0
        self.answer: Callable[[Received], Reply] = lambda _: Reply()
        self._server = _Server(self, context)

    @property
    def port(self) -> int:
        """Port on 127.0.0.1."""
        return int(self._server.server_address[1])

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer every request so."""
        fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        self.answer = lambda _: Reply(status, body, fields)

    def serve(self) -> None:
        """Serve until `close`."""
        self._server.serve_forever(poll_interval=0.01)

    def close(self) -> None:
        """Stop to serve."""
        self._server.shutdown()
        for connection in self._server.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = False

    def __init__(self, endpoint: WebhookServer, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.endpoint = endpoint
        self.context = context
        self.connections: list[socket.socket] = []

    def handle_error(self, *_: object) -> None:
        """Leave it to the client to notice."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        self.server.endpoint.connections += 1
        if self.server.context is not None:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.server.connections.append(self.request)
        super().setup()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.request.close()  # of TLS

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.path, headers, body)
        self.server.endpoint.requests.append(received)
        reply = self.server.endpoint.answer(received)
        if 200 <= reply.status < 300:
            self.server.endpoint.accepted.append(received)
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Write no log to stderr."""


@contextlib.contextmanager
def webhook_server(context: ssl.SSLContext | None = None) -> Iterator[WebhookServer]:
    """Run an endpoint while the context lasts; without TLS where no context is given."""
    server = WebhookServer(context)
    thread = Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
