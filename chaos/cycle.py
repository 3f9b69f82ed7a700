"""Publish cycle for strace to break: add an event, relay it, end.

    python -m chaos.cycle DATABASE_URL BUS_URL

Prints the id once the event is added: from then on it must not be lost.
"""

import os
import sys

from adapters.aws.eventbridge.publisher import EventBridgePublisher
from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.aws.clients import AwsAccess, relaying_client
from bootstrap.factories import webhook
from bootstrap.factories.database import prepare_database
from bootstrap.settings import Settings
from domain.model.errors import OutboxUnavailableError
from domain.model.events.event import DEFAULT_EVENT_SOURCE
from domain.services.relay.dispatcher import BatchDispatcher
from domain.services.relay.relay import Relay
from domain.services.resilience.circuit_breaker import CircuitBreaker
from ports.event_port import EventPort
from tests.support.faults.bus import environ_of
from tests.support.samples.factories import an_event

ROUNDS = 3
RELAY_TIMEOUT_SECONDS = 15.0
REFUSED = 3
"""The exit code if the event was not stored, and so not promised."""


def main(database_url: str, bus_url: str) -> int:
    """Run the cycle despite injected faults."""
    outbox = SqlOutbox(prepare_database(database_url))
    events = _publisher(bus_url)
    breaker = CircuitBreaker()
    relay = Relay(outbox, BatchDispatcher(events, breaker, threads=1), breaker)
    event = an_event()
    try:
        outbox.add(event)
    except OutboxUnavailableError:
        return REFUSED
    os.write(1, f"{event.interaction_id}\n".encode())
    for _ in range(ROUNDS):
        relay.step()
    return 0


def _publisher(bus_url: str) -> EventPort:
    environ = environ_of(bus_url)
    if environ["EVENT_TRANSPORT"] == "webhook":
        return webhook.publisher(Settings.from_env(environ), timeout_seconds=RELAY_TIMEOUT_SECONDS)
    client = relaying_client(AwsAccess("us-east-1", bus_url), threads=1)
    return EventBridgePublisher(client, bus_name="default", source=DEFAULT_EVENT_SOURCE, region="us-east-1")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
