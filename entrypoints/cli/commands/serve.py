"""`transcripts serve`: the HTTP service."""

import asyncio
import webbrowser
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from entrypoints.cli.runtime.configuration import build_container, configure
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
@click.option("--open", "open_console", is_flag=True, help="Open the console in a browser.")
@FAILURE_AS_JSON
def command(host: str | None, port: int | None, *, open_console: bool) -> None:
    """Run the HTTP service until SIGTERM or SIGINT, then finish the requests in flight."""
    exit_on_signal()
    settings = configure(default_log_level="INFO")
    require_server()
    address = {"host": host or settings.host, "port": settings.port if port is None else port}
    settings = settings.model_copy(update=address)
    if open_console and not settings.has_console:
        raise click.UsageError(f"--open needs CONSOLE=true, because {settings.host} is no loopback address.")
    asyncio.run(_serve(settings, browse if open_console else None))


def require_server() -> None:
    """Check that the packages of the service are installed, before anything is started."""
    from bootstrap.extras import require  # noqa: PLC0415 - not for `--help`

    require("server", "transcripts serve")


def browse(url: str) -> None:
    """Open the console in a browser, or print its address where the machine has none."""
    if not webbrowser.open(url):
        click.echo(f"Open {url} in a browser.", err=True)


async def _serve(settings: "Settings", announce: Callable[[str], None] | None) -> None:
    """Serve; the engines load in their processes while this one imports the rest."""
    from bootstrap.factories.tracing import trace_port  # noqa: PLC0415 - slow to import
    from bootstrap.factories.transcriber import transcriber_for  # noqa: PLC0415 - same

    trace = trace_port(settings)
    transcriber = transcriber_for(settings, trace)
    await transcriber.start()
    try:
        from entrypoints.api.server.server import serve  # noqa: PLC0415 - slow to import; the workers load meanwhile

        container = build_container(settings, transcriber, trace=trace)
        await serve(container, host=settings.host, port=settings.port, announce=announce)
    finally:
        await transcriber.stop()
