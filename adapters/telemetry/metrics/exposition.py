"""HTTP server for Prometheus."""

import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

from domain.model.errors import ConfigurationError

logger = logging.getLogger(__name__)

IDLE_SECONDS = 30.0
"""Time after which a connection that sends nothing is closed; each connection has a thread."""


class _Handler(WSGIRequestHandler):
    timeout = IDLE_SECONDS

    def log_message(self, *_: object) -> None:
        """Log nothing: each scrape would have a line."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_port = False  # some Pythons set it, and two processes would share the port

    def handle_error(self, *_: object) -> None:
        """Log that a connection broke; the base class prints a stack trace."""
        logger.debug("connection of a scrape broke")


class _Ipv6Server(_Server):
    address_family = socket.AF_INET6


@contextmanager
def exposing(registry: CollectorRegistry, host: str, port: int) -> Iterator[int]:
    """Serve a registry while the context lasts; yield the port, a free one for 0.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    with _listening(host, port) as server:
        server.set_app(make_wsgi_app(registry))
        thread = Thread(target=server.serve_forever, name="metrics", daemon=True)
        _start_without_signals(thread)
        logger.info("metrics served", extra={"host": host, "port": server.server_port})
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _listening(host: str, port: int) -> _Server:
    kind = _Ipv6Server if ":" in host else _Server
    try:
        return kind((host, port), _Handler)
    except OSError as error:
        raise ConfigurationError(
            f"METRICS_PORT={port}: cannot listen on {host}:{port}: {error.strerror or error}. Each process of"
            " a machine needs a port of its own; METRICS_HOST is an address of this machine."
        ) from error


def _start_without_signals(thread: Thread) -> None:
    """Start a thread that no signal reaches, nor the threads that it starts: other ones wait for them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
