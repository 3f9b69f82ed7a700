"""Relays on NATS, RabbitMQ, Kafka and SNS, killed at random moments: every event arrives at least once.

    python -m tests.system.faults.test_killed_relays_on_brokers

relays until it is killed; the variables of the environment choose the transport. Kafka is Tansu, SNS is moto.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from random import Random
from threading import Event

import pytest

from adapters.sql.database import Database
from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.container import Container, build_container
from bootstrap.factories.database import prepare_database
from bootstrap.settings import Settings
from domain.services.relay.dispatcher import BatchDispatcher
from domain.services.relay.relay import Relay
from tests.support.brokers.brokers import RABBITMQ, running
from tests.support.brokers.kafka_place import KafkaPlace
from tests.support.brokers.nats_place import NatsPlace
from tests.support.brokers.places import EventPlace, stored_ids
from tests.support.brokers.rabbitmq_place import RabbitMqPlace
from tests.support.brokers.sns_place import SnsPlace
from tests.support.faults.backlogs import fill
from tests.support.harness.cases import typical_first
from tests.support.harness.installed_command import clean_environment
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_event

pytestmark = [pytest.mark.slow, pytest.mark.process]

EVENTS, MORE_EVENTS, KILLS = 300, 30, 3
LEASE_SECONDS = 5.0
"""More than a busy machine takes to publish a batch: a relay with shorter leases would make no progress."""
LONGEST_SECONDS = 0.3
PLACES: Mapping[str, Callable[[Path], EventPlace]] = {
    "nats": NatsPlace,
    "kafka": KafkaPlace,
    "sns": lambda _: SnsPlace(),
}


@pytest.fixture(params=typical_first(["nats", "rabbitmq", "kafka", "sns"], typical=["nats"]))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventPlace]:
    if request.param == "rabbitmq":
        with running(RABBITMQ, tmp_path, own=True) as server:
            queue = RabbitMqPlace(server)
            queue.create()
            yield queue
        return
    server_place: EventPlace = PLACES[request.param](tmp_path)
    server_place.start()
    yield server_place
    server_place.stop()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(prepare_database(database_url)) as database:
        yield database


@pytest.fixture
def outbox(database: Database) -> SqlOutbox:
    return SqlOutbox(database)


def add(database: Database, count: int) -> set[str]:
    """Add events to the outbox; return their ids."""
    events = [an_event() for _ in range(count)]
    fill(database, events)
    return {str(event.interaction_id) for event in events}


def start_relay(place: EventPlace, database_url: str) -> "subprocess.Popen[bytes]":
    environ = {"EVENT_TRANSPORT": place.transport, "DATABASE_URL": database_url, **place.environ}
    return subprocess.Popen([sys.executable, "-m", __name__], env=clean_environment(**environ))


@pytest.mark.exhaustive
def test_relays_killed_at_random_moments_lose_nothing(
    place: EventPlace, database_url: str, database: Database, outbox: SqlOutbox
) -> None:
    random = Random(place.transport)  # noqa: S311 - moments, no secrets
    promised = add(database, EVENTS)

    for _ in range(KILLS):
        waiting = outbox.counts().waiting
        relay = start_relay(place, database_url)
        wait_until(lambda before=waiting: outbox.counts().waiting < before)  # type: ignore[misc]
        time.sleep(random.uniform(0, LONGEST_SECONDS))  # at a random moment
        relay.kill()
        relay.wait()
        promised |= add(database, MORE_EVENTS)
    last = start_relay(place, database_url)
    wait_until(lambda: not outbox.counts().waiting)
    last.kill()
    last.wait()

    assert promised == set(stored_ids(place.bodies(len(promised))))


def test_events_of_an_outage_arrive_when_it_is_over(
    place: EventPlace, database_url: str, database: Database, outbox: SqlOutbox
) -> None:
    promised = add(database, MORE_EVENTS)
    environ = {"EVENT_TRANSPORT": place.transport, "DATABASE_URL": database_url}
    away = _container(**environ, **place.unreachable)
    relay = _relay(away)
    wait_until(lambda: (relay.step(), away.breaker().is_open)[1])
    waiting = outbox.counts().waiting
    away.database().close()

    back = start_relay(place, database_url)
    wait_until(lambda: not outbox.counts().waiting)
    back.kill()
    back.wait()

    assert waiting == len(promised)
    assert promised == set(stored_ids(place.bodies(len(promised))))


def _container(**environ: str) -> Container:
    return build_container(Settings.from_env(environ))


def _relay(container: Container) -> Relay:
    breaker = container.breaker()
    dispatcher = BatchDispatcher(container.patient_sender(), breaker)
    return Relay(container.outbox(), dispatcher, breaker, lease_seconds=LEASE_SECONDS)


def main() -> None:
    """Relay until the process is killed."""
    container = build_container(Settings.from_env(os.environ))
    _relay(container).run(Event())


if __name__ == "__main__":
    main()
