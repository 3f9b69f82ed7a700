"""`transcripts serve`: the HTTP service."""

import asyncio
from typing import TYPE_CHECKING

import click

from entrypoints.cli.runtime.configuration import build_container, configure, importing
from entrypoints.cli.runtime.failures import FAILURE_AS_JSON
from entrypoints.cli.runtime.signals import stop_at_once_when_told

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
    """Run the HTTP service until SIGTERM or SIGINT, and finish what is in flight then."""
    stop_at_once_when_told()
    settings = configure(default_log_level="INFO")
    require_server()
    asyncio.run(_serve(settings, host or settings.host, settings.port if port is None else port))


def require_server() -> None:
    """Look for what the service is made of, before anything is started."""
    from bootstrap.extras import require  # noqa: PLC0415 - not for `--help`

    require("server", "transcripts serve")


async def _serve(settings: "Settings", host: str, port: int) -> None:
    """The engines load in processes of their own while this one imports everything else."""
    from bootstrap.factories.transcriber import transcriber_for  # noqa: PLC0415 - slow to import

    transcriber = transcriber_for(settings)
    await transcriber.start()
    try:
        with importing():
            from entrypoints.api.server.server import serve  # noqa: PLC0415 - slow to import; the workers are under way

        await serve(build_container(settings, transcriber), host=host, port=port)
    finally:
        await transcriber.stop()
