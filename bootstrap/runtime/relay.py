"""Relay and housekeeping in threads of a process that also does other work."""

import contextlib
import logging
from collections.abc import Iterator
from threading import Event, Thread

from bootstrap.aws.account import PlaceLookup
from bootstrap.container import Container
from bootstrap.transports import has_bus, is_on_aws
from domain.model.errors import ConfigurationError, JobStoreUnavailableError, OutboxUnavailableError

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def relaying(container: Container) -> Iterator[PlaceLookup | None]:
    """Run the relay and housekeeping while the context lasts; yield the account that the events go to.

    Without a bus, only warn of events that wait for one. Without an account, yield None. At the end, calls in
    flight are finished and recorded, and the relay stops.
    """
    transport = container.event_transport()
    if not has_bus(transport):
        _warn_of_waiting_events(container)
        yield None
        return
    lookup = PlaceLookup(container.aws_access()) if is_on_aws(transport) else None
    relay, stop = container.relay(), Event()
    threads = (
        Thread(target=relay.run, args=(stop,), name="relay"),
        Thread(target=container.housekeeping().run, args=(stop,), name="housekeeping"),
    )
    for thread in threads:
        thread.start()
    try:
        yield lookup
    finally:
        try:
            container.delivery().close()
        finally:  # without it, these threads would keep the process from ending
            stop.set()
            relay.wake()
            for thread in threads:
                thread.join()


def _warn_of_waiting_events(container: Container) -> None:
    """Warn of events that an earlier configuration stored, and that no relay delivers now."""
    from bootstrap.runtime.outbox import counts_as_they_are  # noqa: PLC0415 - loads what only an outbox needs

    try:
        waiting = counts_as_they_are(container.settings().database_url).outbox.waiting
    except (ConfigurationError, JobStoreUnavailableError, OutboxUnavailableError):
        return  # there is no outbox, or none that this version knows
    if waiting:
        context = {"waiting": waiting, "event_transport": str(container.event_transport())}
        logger.warning("events wait in the outbox, but no bus is configured", extra=context)
