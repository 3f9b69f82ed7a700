"""`transcripts relay`: publishes the events of the outbox in a process of its own."""

import gc
import signal
from threading import Event, Thread
from typing import TYPE_CHECKING

import click

from bootstrap.transports import is_on_aws
from domain.model.errors import ConfigurationError
from entrypoints.cli.runtime.account import log_account
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.failures import FAILURE_AS_JSON
from entrypoints.cli.runtime.signals import STOPPING, exit_on_signal

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bootstrap.container import Container
    from domain.services.relay.relay import Relay


@click.command("relay")
@FAILURE_AS_JSON
def command() -> None:
    """Publish the events of the outbox until SIGTERM or SIGINT, then finish the calls in flight.

    Any number of relays may run at once, beside the relay that each service has.
    """
    exit_on_signal()
    container = build_container(configure(default_log_level="INFO"))
    _require_a_bus(container)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # before the first thread: each has a mask of its own
    if is_on_aws(container.event_transport()):
        log_account(container.settings())
    relay, stop = container.relay(), Event()
    Thread(target=_stop_when_told, args=(relay, stop), name="signals", daemon=True).start()
    gc.freeze()  # loaded modules stay: garbage collection need not scan them again
    with _exposing_metrics(container):
        relay.run(stop)


def _exposing_metrics(container: "Container") -> "AbstractContextManager[None]":
    from bootstrap.runtime.metrics import exposing_metrics  # noqa: PLC0415 - slow to import

    return exposing_metrics(container)


def _require_a_bus(container: "Container") -> None:
    from bootstrap.choices import EventTransport  # noqa: PLC0415 - slow to import
    from bootstrap.transports import has_bus  # noqa: PLC0415 - same

    if has_bus(container.event_transport()):
        return
    configured = container.settings().event_transport
    why = "no AWS credentials were found" if configured == EventTransport.AUTO else "it has no bus"
    raise ConfigurationError(
        f"EVENT_TRANSPORT={configured} leaves nothing to relay: {why}. "
        "A relay needs a transport with a bus, such as eventbridge, or auto with credentials."
    )


def _stop_when_told(relay: "Relay", stop: Event) -> None:
    """Wait for a signal in a thread: a signal handler could need locks that the relay holds."""
    signal.sigwait(STOPPING)
    stop.set()
    relay.wake()
