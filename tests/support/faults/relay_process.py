"""A relay as a process that can be killed, with the lease a test asks for; and one that ends the work.

    python -m tests.support.faults.relay_process DATABASE_URL BUS_URL LEASE_SECONDS

works until SIGTERM.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.dialect import DatabaseNow
from bootstrap.container import Container, build_container
from bootstrap.settings import Settings
from domain.services.relay.dispatcher import BatchDispatcher
from domain.services.relay.relay import LEASE_SECONDS, Relay
from tests.support.faults.bus import environ_of
from tests.support.faults.servers import CREDENTIALS
from tests.support.harness.installed_command import clean_environment

ROOT = Path(__file__).parents[3]
HOURS_LATER = 3 * 3600.0
"""Every lease is over by then, and everything is due."""
DRAIN_SECONDS = 240


def container_on(database_url: str, bus_url: str) -> Container:
    """What the service would be made of; credentials come from the environment."""
    return build_container(Settings.from_env({"DATABASE_URL": database_url, **environ_of(bus_url)}))


def relay_on(container: Container, outbox: SqlOutbox, lease_seconds: float = LEASE_SECONDS) -> Relay:
    """Build a relay without a route check, as the bus of the tests has no route."""
    breaker = container.breaker()
    dispatcher = BatchDispatcher(container.patient_sender(), breaker)
    return Relay(outbox, dispatcher, breaker, lease_seconds=lease_seconds)


def drain(database_url: str, bus_url: str) -> None:
    """Deliver all that is left, hours later: with a fresh relay on a database whose clock is ahead."""
    container = container_on(database_url, bus_url)
    outbox = SqlOutbox(container.database(), now=DatabaseNow() + HOURS_LATER)
    relay, deadline = relay_on(container, outbox), time.monotonic() + DRAIN_SECONDS
    while outbox.counts().waiting:
        assert time.monotonic() < deadline, "it was not delivered in time"
        time.sleep(min(relay.step(), 0.5))
    container.database().close()


def start(database_url: str, bus_url: str, *, lease_seconds: float) -> "subprocess.Popen[bytes]":
    """Start the process."""
    arguments = (database_url, bus_url, str(lease_seconds))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.faults.relay_process", *arguments],
        cwd=ROOT,
        env=clean_environment(**CREDENTIALS),
    )


def main(database_url: str, bus_url: str, lease_seconds: str) -> None:
    """Relay until SIGTERM."""
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    container = container_on(database_url, bus_url)
    relay_on(container, SqlOutbox(container.database()), lease_seconds=float(lease_seconds)).run(stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
