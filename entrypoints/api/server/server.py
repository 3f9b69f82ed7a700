"""The HTTP server around the app."""

import gc
import resource
import signal
import sys

import uvicorn
from fastapi import FastAPI

from bootstrap.container import Container
from domain.model.errors import TranscriptionServiceError
from entrypoints.api.app import create_app
from entrypoints.api.server.protocol import ProblemH11Protocol

KEEP_ALIVE_SECONDS = 75
"""Longer than load balancers keep their side, which would otherwise send into a closing connection."""


async def serve(container: Container, *, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT, and finish what is in flight then.

    Raises:
        TranscriptionServiceError: the address cannot be listened on.
    """
    app = create_app(container)
    config = server_config(app, host=host, port=port)
    container.batch_processing()  # what is wrong with the configuration shows before the server has a say
    app.state.spool.open()
    allow_many_connections()
    gc.freeze()  # what is loaded now stays: collections need not look through it again and again
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn takes them over, finishes what is in flight, and raises them again
        signal.signal(number, _end)
    try:
        await uvicorn.Server(config).serve()
    except SystemExit as end:
        if end.code:  # the server's way to say that it could not start; it has logged why
            raise TranscriptionServiceError(f"Nobody can be served on {host}:{port}: see the log.") from end
        raise
    finally:
        app.state.spool.close()


def _end(_number: int, _frame: object) -> None:
    """A stop that was asked for is no failure."""
    sys.exit(0)


def allow_many_connections() -> None:
    """Have as many files open as the system allows this process; each connection is one."""
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))


def server_config(app: FastAPI, *, host: str = "127.0.0.1", port: int = 0) -> uvicorn.Config:
    """How the service is served: every limit that the server has, and none of its own log lines."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=ProblemH11Protocol,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        access_log=False,  # the middleware writes a line with the interaction id
        log_config=None,
        server_header=False,
    )
