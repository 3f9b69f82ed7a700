"""`transcripts serve`: the HTTP service."""

import signal
import sys
from http import HTTPStatus

import click
import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from bootstrap.container import build_container
from entrypoints.api.app import create_app
from entrypoints.api.problems import MEDIA_TYPE, problem_response
from entrypoints.cli.configuration import configure
from entrypoints.cli.output import EXIT_OK

MAX_HEADER_BYTES = 64 * 1024
KEEP_ALIVE_SECONDS = 75
"""Longer than load balancers keep their side, which would otherwise send into a closing connection."""


class ProblemH11Protocol(H11Protocol):
    """Refuses what is no HTTP as a problem, too: nothing of the app has run then."""

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be parsed, or whose headers are too large."""
        problem = problem_response(
            HTTPStatus.BAD_REQUEST,
            title="Not a valid HTTP request",
            detail=f"{msg} Headers may have {MAX_HEADER_BYTES} bytes and hold no line breaks.",
            name="invalid-request",
        )
        headers = [("content-type", MEDIA_TYPE), ("connection", "close")]
        headers.append(("content-length", str(len(problem.body))))
        for event in (
            h11.Response(status_code=HTTPStatus.BAD_REQUEST, headers=headers),
            h11.Data(data=bytes(problem.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


@click.command("serve")
@click.option("--host", help="Address to listen on; HOST, else 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; PORT, else 8000.")
def command(host: str | None, port: int | None) -> None:
    """Run the HTTP service until SIGTERM or SIGINT, and finish what is in flight then."""
    settings = configure(default_log_level="INFO")
    container = build_container(settings)
    app = create_app(container)
    config = server_config(app, host=host or settings.host, port=settings.port if port is None else port)
    container.batch_processing()  # what is wrong with the configuration shows before the server has a say
    app.state.spool.open()
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


def server_config(app: FastAPI, *, host: str = "127.0.0.1", port: int = 0) -> uvicorn.Config:
    """How the service is served: every limit that the server has, and none of its own log lines."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=ProblemH11Protocol,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        access_log=False,  # the middleware writes a line with the interaction id
        log_config=None,
        server_header=False,
    )
