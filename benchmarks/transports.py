"""Events a second through outbox and relay by each transport, beside its client called bare.

A transport is a row of `_contestants`: its name, a context that yields its variables, and its bare client.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks import senders
from benchmarks.brokers import Bare, Events, bare_kafka, bare_nats, bare_rabbitmq, bare_webhook
from benchmarks.events import event_of
from benchmarks.fast_bus import fast_bus
from benchmarks.fast_endpoint import fast_endpoint
from benchmarks.harness import Contestant, Figures, in_turn, ratios
from benchmarks.report import Report, Table, Target
from benchmarks.servers import CREDENTIALS
from bootstrap.container import build_container
from bootstrap.settings import Settings
from domain.model.events.event import Publication, PublicationStatus
from domain.model.events.sent import SentEvent
from ports.event_port import EventPort, PublishOutcome, Traceparents
from tests.support.brokers.brokers import RABBITMQ, running
from tests.support.brokers.kafka_place import KafkaPlace
from tests.support.brokers.nats_place import NatsPlace
from tests.support.brokers.places import EventPlace
from tests.support.brokers.rabbitmq_place import RabbitMqPlace
from tests.support.web.webhook_server import SECRET

COUNT, BYTES, ROUNDS = 2_000, 1_000, 3
AT_LEAST = 0.7
ALONE = "outbox alone"


class Row(NamedTuple):
    """Transport, its variables, and its bare client."""

    name: str
    environ: dict[str, str]
    bare: Bare


def measure() -> Report:
    """Run each transport and its bare client in turn."""
    os.environ.update(CREDENTIALS)
    with ExitStack() as servers, tempfile.TemporaryDirectory() as name:
        rows = [servers.enter_context(row) for row in _rows(Path(name))]
        contestants: dict[str, Contestant] = {}
        for row in rows:
            contestants[f"{row.name}, bare"] = partial(_with_new_events, row.bare)
            contestants[f"{row.name}, ours"] = partial(_with_new_events, partial(through_outbox, row.environ))
        contestants[ALONE] = partial(_with_new_events, _outbox_alone)
        figures = {each.name: each for each in in_turn(contestants, ROUNDS)}
    return _report([row.name for row in rows], figures)


def through_outbox(environ: dict[str, str], events: Events) -> float:
    """Return the events a second by a transport, as the service is made of its variables."""
    container = build_container(Settings.from_env(environ))
    return _relayed(container.patient_sender(), events)


def _outbox_alone(events: Events) -> float:
    return _relayed(AcceptAll(), events)


class AcceptAll(EventPort):
    """Transport that accepts all events at once."""

    def publish_all(
        self,
        events: Sequence[SentEvent],
        /,
        *,
        labels: tuple[str, ...] = (),  # noqa: ARG002 - the port's
        traceparents: Traceparents = (),  # noqa: ARG002 - same
    ) -> tuple[PublishOutcome, ...]:
        """Accept the events."""
        return (Publication(PublicationStatus.PUBLISHED, "1"),) * len(events)


def _relayed(port: EventPort, events: Events) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return senders.relayed(port, f"sqlite:///{folder}/events.db", events)


def _rows(folder: Path) -> Iterator[AbstractContextManager[Row]]:
    yield _event_bridge()
    yield _webhook()
    yield _nats(folder / "nats")
    yield _rabbitmq(folder / "rabbitmq")
    yield _kafka(folder / "kafka")


@contextmanager
def _event_bridge() -> Iterator[Row]:
    with fast_bus(0) as url:
        environ = {"EVENT_TRANSPORT": "eventbridge", "AWS_ENDPOINT_URL": url}
        yield Row("EventBridge (stub)", environ, partial(senders.batched, url))


@contextmanager
def _webhook() -> Iterator[Row]:
    with fast_endpoint() as url:
        environ = {
            "EVENT_TRANSPORT": "webhook",
            "WEBHOOK_URL": url,
            "WEBHOOK_SECRETS": SECRET,
            "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
        }
        yield Row("webhook (stub)", environ, bare_webhook(url))


@contextmanager
def _nats(folder: Path) -> Iterator[Row]:
    folder.mkdir()
    with _started(NatsPlace(folder)) as place:
        yield Row("NATS", _environ(place), bare_nats(place.environ))


@contextmanager
def _rabbitmq(folder: Path) -> Iterator[Row]:
    folder.mkdir()
    with running(RABBITMQ, folder, own=True) as server:
        place = RabbitMqPlace(server)
        place.create()
        yield Row("RabbitMQ", _environ(place), bare_rabbitmq(place.environ))


@contextmanager
def _kafka(folder: Path) -> Iterator[Row]:
    folder.mkdir()
    with _started(KafkaPlace(folder)) as place:
        yield Row("Kafka (Tansu)", _environ(place), bare_kafka(place.environ))


@contextmanager
def _started(place: EventPlace) -> Iterator[EventPlace]:
    place.start()
    try:
        yield place
    finally:
        place.stop()


def _environ(place: EventPlace) -> dict[str, str]:
    return {"EVENT_TRANSPORT": place.transport, **place.environ}


def _in_turn(client: float, outbox: float) -> float:
    """Return the events a second of a process that does the work of both for each event."""
    return 1 / (1 / client + 1 / outbox)


def _with_new_events(contestant: Callable[[Events], float]) -> float:
    """Send events that no broker has seen: a duplicate costs less."""
    return contestant([event_of(BYTES) for _ in range(COUNT)])


def _report(names: list[str], figures: dict[str, Figures]) -> Report:
    rows, targets = [], []
    for name in names:
        bare, ours = figures[f"{name}, bare"], figures[f"{name}, ours"]
        ratio, of_outbox = ratios(ours, bare), ratios(ours, figures[ALONE])
        of_both = ours.median / _in_turn(bare.median, figures[ALONE].median)
        rows.append((name, bare.shown(), ours.shown(), ratio.shown(2), of_outbox.shown(2), f"{of_both:.2f}"))
        targets.append(
            Target(f"{name}, outbox and relay, of the bare client", ratio.median, at_least=AT_LEAST)
        )
    contest = f"""{COUNT:,} events of {BYTES // 1000} kB, median of {ROUNDS} rounds in turn (lowest to \
highest). The bare clients store nothing, and have all messages under way at once."""
    limit = f"""The outbox in SQLite by itself, with a transport that accepts all events at once: \
{figures[ALONE].shown()} events/s. A relay does its work and the client's in one process: the last \
column compares it with both in turn. Load of the machine at the end: {os.getloadavg()[0]:.1f}."""
    header = (
        "transport",
        "bare client, events/s",
        "outbox and relay, events/s",
        "of the client",
        "of the outbox",
        "of client and outbox in turn",
    )
    return Report((contest, limit), (Table(header, tuple(rows)),), tuple(targets))
