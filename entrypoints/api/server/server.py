"""HTTP server: configures uvicorn, runs the app, and ends without waiting for slow callers."""

import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from bootstrap.container import Container
from bootstrap.factories.access import is_open_to_others
from bootstrap.runtime.metrics import exposing_metrics
from domain.model.errors import TranscriptionServiceError
from entrypoints.api.app import create_app
from entrypoints.api.server.protocol import ProblemH11Protocol
from entrypoints.console.pages import PATH as CONSOLE_PATH

if TYPE_CHECKING:
    from bootstrap.settings import Settings
    from entrypoints.api.jobs.waiting import JobWaits
    from entrypoints.api.uploads.spool import UploadSpool

logger = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 75
"""Longer than load balancers keep idle connections, which would otherwise send into a closed one."""


class Server(uvicorn.Server):
    """Server that ends in bounded time.

    A stop closes the listening socket and idle connections, and ends waits for jobs and streams of their
    events. Uploads may still arrive for a while, and are refused then; recordings that have arrived are
    processed and answered.
    """

    def __init__(
        self, config: uvicorn.Config, app: FastAPI, announce: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._spool: UploadSpool = app.state.spool
        self._job_waits: JobWaits = app.state.job_waits
        settings: Settings = app.state.container.settings()
        self._grace_seconds = settings.shutdown_grace_seconds
        self._root_path = settings.root_path

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and announce the address of the console, where that is asked for."""
        await super().startup(sockets)
        if self.started and self._announce is not None:
            self._announce(console_url(self.servers[0].sockets[0].getsockname(), self._root_path))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the requests in flight; uploads among them within `SHUTDOWN_GRACE_SECONDS`."""
        extra = {"grace_seconds": self._grace_seconds, "requests": len(self.server_state.tasks)}
        logger.info("shutdown began, uploads in progress may still end", extra=extra)
        self._job_waits.end()
        refusal = asyncio.get_running_loop().call_later(self._grace_seconds, self._spool.end_uploads)
        try:
            await super().shutdown(sockets)
        finally:
            refusal.cancel()


def console_url(address: tuple[str, int], root_path: str) -> str:
    """Return the address of the console for a browser on this machine."""
    host, port = address[:2]
    if ip_address(host).is_unspecified:  # all addresses, those of this machine among them
        host = "127.0.0.1"
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}{root_path}{CONSOLE_PATH}/"


async def serve(
    container: Container, *, host: str, port: int, announce: Callable[[str], None] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in flight (see `Server`).

    `announce` gets the address of the console as soon as the server listens.

    Raises:
        ConfigurationError: METRICS_PORT is taken, or a setting cannot be used.
        OutboxUnavailableError: the database cannot be opened.
        TranscriptionServiceError: the server cannot listen on the address.
    """
    app = create_app(container)
    config = server_config(app, host=host, port=port)
    container.authenticator()  # reports a wrong configuration before the server starts, as the next ones do
    container.batch_processing()
    container.job_service()
    if is_open_to_others(container.settings(), host):
        logger.warning(
            "callers are not authenticated, each names its own tenant; set AUTH, or listen on 127.0.0.1",
            extra={"host": host},
        )
    app.state.spool.open()
    allow_many_connections()
    gc.freeze()  # objects loaded by now stay: collections need not inspect them
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn handles them, finishes the requests in flight, and raises them again
        signal.signal(number, _end)
    try:
        with exposing_metrics(container, has_transcriber=True, has_uploads=True):
            await Server(config, app, announce).serve()
    except SystemExit as end:
        if end.code:  # uvicorn could not start, and has logged the reason
            raise TranscriptionServiceError(f"Cannot listen on {host}:{port}; see the log.") from end
        raise
    finally:
        app.state.spool.close()


def _end(_number: int, _frame: object) -> None:
    """Exit with 0: a requested stop is no failure."""
    sys.exit(0)


def allow_many_connections() -> None:
    """Raise the limit of open files as far as the system allows; each connection is one."""
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))


def server_config(
    app: FastAPI,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    http: type[ProblemH11Protocol] = ProblemH11Protocol,
) -> uvicorn.Config:
    """Configure uvicorn with the limits of the service, and without log lines of its own."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=http,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        access_log=False,  # the middleware logs each request with its interaction id
        log_config=None,
        server_header=False,
        proxy_headers=False,  # else X-Forwarded-For of a peer on this machine passes for the peer itself
        forwarded_allow_ips=[],
    )
