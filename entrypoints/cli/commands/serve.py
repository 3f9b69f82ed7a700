"""`transcripts serve`: the HTTP service."""

import asyncio
from typing import TYPE_CHECKING

import click

from entrypoints.cli.runtime.configuration import build_container, configure, importing
from entrypoints.cli.runtime.failures import FAILURE_AS_JSON
from entrypoints.cli.runtime.signals import exit_on_signal

if TYPE_CHECKING:
    from bootstrap.settings import Settings


@click.command("serve")
@click.option("--host", metavar="ADDRESS", help="Address to listen on. [default: HOST, else 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Port to listen on; 0 for a free one. [default: PORT, else 8000]",
)
@FAILURE_AS_JSON
def command(host: str | None, port: int | None) -> None:
    """Run the HTTP service until SIGTERM or SIGINT, then finish the requests in flight."""
    exit_on_signal()
    settings = configure(default_log_level="INFO")
    require_server()
    asyncio.run(_serve(settings, host or settings.host, settings.port if port is None else port))


def require_server() -> None:
    """Check that the packages of the service are installed, before anything is started."""
    from bootstrap.extras import require  # noqa: PLC0415 - not for `--help`

    require("server", "transcripts serve")


async def _serve(settings: "Settings", host: str, port: int) -> None:
    """Serve; the engines load in their processes while this one imports the rest."""
    from bootstrap.factories.transcriber import transcriber_for  # noqa: PLC0415 - slow to import

    transcriber = transcriber_for(settings)
    await transcriber.start()
    try:
        with importing():
            from entrypoints.api.server.server import serve  # noqa: PLC0415 - slow to import; the workers load meanwhile

        await serve(build_container(settings, transcriber), host=host, port=port)
    finally:
        await transcriber.stop()
