"""`transcripts serve`: the HTTP service."""

import gc
import resource
import signal
import sys

import click
import uvicorn
from fastapi import FastAPI

from bootstrap.container import build_container
from entrypoints.api.app import create_app
from entrypoints.api.http_protocol import ProblemH11Protocol
from entrypoints.cli.configuration import configure
from entrypoints.cli.failures import FAILURE_AS_JSON
from entrypoints.cli.output import EXIT_OK

KEEP_ALIVE_SECONDS = 75
"""Longer than load balancers keep their side, which would otherwise send into a closing connection."""


@click.command("serve")
@click.option("--host", help="Address to listen on; HOST, else 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; PORT, else 8000.")
@FAILURE_AS_JSON
def command(host: str | None, port: int | None) -> None:
    """Run the HTTP service until SIGTERM or SIGINT, and finish what is in flight then."""
    settings = configure(default_log_level="INFO")
    container = build_container(settings)
    app = create_app(container)
    config = server_config(app, host=host or settings.host, port=settings.port if port is None else port)
    container.batch_processing()  # what is wrong with the configuration shows before the server has a say
    app.state.spool.open()
    allow_many_connections()
    gc.freeze()  # what is loaded now stays: collections need not look through it again and again
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn takes them over, finishes what is in flight, and raises them again
        signal.signal(number, _end)
    try:
        uvicorn.Server(config).run()
    finally:
        app.state.spool.close()


def _end(_number: int, _frame: object) -> None:
    """A stop that was asked for is no failure."""
    sys.exit(EXIT_OK)


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
