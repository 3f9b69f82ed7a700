"""The relay in a thread beside whatever else a process does."""

import contextlib
from collections.abc import Iterator
from threading import Event, Thread

from bootstrap.container import Container
from bootstrap.settings import EventTransport


@contextlib.contextmanager
def relaying(container: Container) -> Iterator[None]:
    """Deliver what the outbox keeps, and keep house, while the context lasts; without an outbox, do nothing.

    At the end, attempts that are under way are finished and recorded, and the relay stops cleanly.
    """
    if container.event_transport() is not EventTransport.EVENTBRIDGE:
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
