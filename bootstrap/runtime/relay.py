"""The relay in a thread beside whatever else a process does."""

import contextlib
import logging
from collections.abc import Iterator
from threading import Event, Thread

from bootstrap.container import Container
from bootstrap.settings import EventTransport
from domain.model.errors import ConfigurationError, OutboxUnavailableError

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def relaying(container: Container) -> Iterator[None]:
    """Deliver what the outbox keeps, and keep house, while the context lasts.

    Without a bus to deliver to, say what waits for one, and do nothing. At the end, attempts
    that are under way are finished and recorded, and the relay stops cleanly.
    """
    if container.event_transport() is not EventTransport.EVENTBRIDGE:
        _warn_of_what_waits(container)
        yield
        return
    relay, stop = container.relay(), Event()
    threads = (
        Thread(target=relay.run, args=(stop,), name="relay"),
        Thread(target=container.housekeeping().run, args=(stop,), name="housekeeping"),
    )
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        try:
            container.delivery().close()
        finally:  # or these threads would keep the process for ever
            stop.set()
            relay.wake()
            for thread in threads:
                thread.join()


def _warn_of_what_waits(container: Container) -> None:
    """What an earlier configuration has promised stays where it is, and nobody else would say so."""
    from bootstrap.runtime.outbox import counts_as_they_are  # noqa: PLC0415 - loads what only an outbox needs

    try:
        waiting = counts_as_they_are(container.settings().database_url).waiting
    except (ConfigurationError, OutboxUnavailableError):
        return  # there is no outbox, or none that this version knows
    if waiting:
        context = {"waiting": waiting, "event_transport": container.event_transport().value}
        logger.warning("events wait in the outbox, and go to no bus", extra=context)
