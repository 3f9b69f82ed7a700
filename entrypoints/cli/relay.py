"""`transcripts relay`: what the outbox keeps, delivered by a process of its own."""

import gc
import signal
from threading import Event, Thread

import click

from bootstrap.container import Container, build_container
from bootstrap.settings import EventTransport
from domain.model.errors import ConfigurationError
from domain.services.relay import Relay
from entrypoints.cli.configuration import configure
from entrypoints.cli.failures import FAILURE_AS_JSON

STOPPING = {signal.SIGTERM, signal.SIGINT}


@click.command("relay")
@FAILURE_AS_JSON
def command() -> None:
    """Deliver what the outbox keeps until SIGTERM or SIGINT, and finish what is in flight then.

    Any number of relays may run beside each other, and beside services, which have one each.
    """
    container = build_container(configure(default_log_level="INFO"))
    _require_a_bus(container)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # before the first thread: each has a mask of its own
    relay, stop = container.relay(), Event()
    Thread(target=_stop_when_told, args=(relay, stop), name="signals", daemon=True).start()
    gc.freeze()  # what is loaded now stays: collections need not look through it again and again
    relay.run(stop)


def _require_a_bus(container: Container) -> None:
    transport = container.event_transport()
    if transport is EventTransport.EVENTBRIDGE:
        return
    configured = container.settings().event_transport
    why = "no AWS credentials were found" if configured is EventTransport.AUTO else "it goes to no bus"
    raise ConfigurationError(
        f"EVENT_TRANSPORT={configured} leaves nothing to relay: {why}. "
        "A relay needs eventbridge, or auto with credentials."
    )


def _stop_when_told(relay: Relay, stop: Event) -> None:
    """Wait in a thread of its own: a signal handler could meet the relay holding the locks that it needs."""
    signal.sigwait(STOPPING)
    stop.set()
    relay.wake()
