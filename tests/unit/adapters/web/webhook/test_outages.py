"""Outages of hours, by a moved clock, with real outbox and relay: every event arrives, none is parked."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Float, bindparam

from adapters.sql.outbox.outbox import SqlOutbox
from adapters.sql.schema.dialect import DatabaseNow
from adapters.web.webhook.publisher import WebhookPublisher
from bootstrap.factories.database import prepare_database
from domain.model.outbox import MAX_WAIT_SECONDS, OutboxState
from domain.services.claim_check import ClaimCheck
from domain.services.relay.dispatcher import BatchDispatcher
from domain.services.relay.relay import Relay
from domain.services.resilience.circuit_breaker import CircuitBreaker
from tests.support.doubles.delivery import SimulatedTime, seeded
from tests.support.samples.factories import an_event
from tests.support.web.webhook_server import Received, Reply, WebhookServer

HOUR = 3600.0
PAGE = b"<!doctype html><title>Sign in</title>"
ANSWERS = {
    "401": Reply(401),
    "404": Reply(404),
    "410": Reply(410),
    "500": Reply(500),
    "a web page": Reply(200, PAGE),
    "a redirect": Reply(302, headers=(("Location", "https://elsewhere.example/"),)),
}


class Outage:
    """Relay and outbox in simulated time, and the endpoint that they send to."""

    def __init__(self, folder: Path, publisher: WebhookPublisher) -> None:
        self.clock = SimulatedTime()
        moved = bindparam("moved_seconds", type_=Float, callable_=lambda: self.clock.at)
        self.database = prepare_database(f"sqlite:///{folder}/outbox.db")
        self.outbox = SqlOutbox(self.database, now=DatabaseNow() + moved)
        self.breaker = CircuitBreaker()
        dispatcher = BatchDispatcher(
            ClaimCheck(publisher, None), self.breaker, threads=2, clock=self.clock, random=seeded()
        )
        self.relay = Relay(
            self.outbox, dispatcher, self.breaker, clock=self.clock, wait=self.clock.wait, random=seeded()
        )
        self.close = dispatcher.close

    def add(self, count: int) -> list[str]:
        """Add events; returns their ids."""
        return [str(self.outbox.add(an_event()).interaction_id) for _ in range(count)]

    def work(self, seconds: float, until: Callable[[], bool] = lambda: False) -> list[float]:
        """Relay for that long; returns the delays between the steps."""
        delays, end = [], self.clock.at + seconds
        while self.clock.at < end and not until():
            delays.append(self.relay.step())
            self.clock.at += max(delays[-1], 0.01)
        return delays

    def is_empty(self) -> bool:
        return not self.outbox.counts().waiting


@pytest.fixture
def outage(tmp_path: Path, publisher: WebhookPublisher) -> Iterator[Outage]:
    outage = Outage(tmp_path, publisher)
    yield outage
    outage.close()
    outage.database.close()


def arrived(endpoint: WebhookServer) -> set[str]:
    return {received.headers["webhook-id"] for received in endpoint.accepted if received.body}


@pytest.mark.slow
def test_six_hours_of_refusals_lose_and_park_nothing(endpoint: WebhookServer, outage: Outage) -> None:
    ids: list[str] = []
    delays: list[float] = []
    began = outage.clock.at
    for name, answer in ANSWERS.items():
        ids += outage.add(1)
        endpoint.answer = lambda _, answer=answer: answer  # type: ignore[misc]
        delays += outage.work(HOUR)
        counts = outage.outbox.counts()
        assert (counts.waiting, counts.rejected, counts.published) == (len(ids), 0, 0), name
    tried = len(endpoint.requests)
    endpoint.accepted.clear()  # the web pages of status 200
    endpoint.reply(204)

    outage.work(HOUR, outage.is_empty)

    assert outage.clock.at - began >= 6 * HOUR
    assert max(delays) <= MAX_WAIT_SECONDS
    assert tried >= 6 * 60  # no endpoint is given up
    assert arrived(endpoint) == set(ids)
    assert outage.outbox.counts().rejected == 0
    assert len(outage.outbox.records(OutboxState.PUBLISHED)) == len(ids)


def test_an_event_that_is_always_refused_holds_back_no_other(endpoint: WebhookServer, outage: Outage) -> None:
    (bad,) = outage.add(1)

    def refuse_one(received: Received) -> Reply:
        return Reply(400 if received.headers["webhook-id"] == bad else 204)

    endpoint.answer = refuse_one
    outage.work(HOUR)
    others: list[str] = []
    for _ in range(5):
        others += outage.add(20)
        outage.work(120.0, lambda: outage.outbox.counts().waiting == 1)
        assert arrived(endpoint) == set(others)

    assert outage.outbox.counts().rejected == 0
    endpoint.reply(204)
    outage.work(HOUR, outage.is_empty)
    assert bad in arrived(endpoint)


def test_a_pause_that_the_endpoint_asks_for_is_kept(endpoint: WebhookServer, outage: Outage) -> None:
    times: list[float] = []

    def overloaded(_: Received) -> Reply:
        times.append(outage.clock.at)
        return Reply(503, headers=(("Retry-After", "86400"),))

    endpoint.answer = overloaded
    outage.add(30)
    outage.work(2 * HOUR)

    pauses = {later - earlier for earlier, later in pairwise(times) if later != earlier}
    assert pauses
    assert all(abs(pause - MAX_WAIT_SECONDS) < 1 for pause in pauses)
    assert outage.breaker.is_open  # callers do not try meanwhile
    endpoint.reply(204)
    outage.work(2 * MAX_WAIT_SECONDS, outage.is_empty)
    assert len(arrived(endpoint)) == 30
    assert not outage.breaker.is_open
