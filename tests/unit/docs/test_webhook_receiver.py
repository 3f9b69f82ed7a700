"""The example that receives webhooks, against the publisher itself."""

import importlib.util
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from http.server import ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest

from adapters.web.locations import parsed
from adapters.web.webhook.client import WebhookClient
from adapters.web.webhook.endpoint import Endpoint
from adapters.web.webhook.publisher import WebhookPublisher
from adapters.web.webhook.signature import key_of, new_secret, signed_headers
from domain.model.errors import EventBusUnavailableError
from domain.model.events.event import TEST_EVENT_LABEL, Publication
from tests.support.samples.factories import an_event
from tests.support.web.webhook_server import SECRET

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "webhook_receiver.py"


@pytest.fixture
def example(tmp_path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("webhook_receiver", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.Receiver.secret = SECRET
    module.Receiver.database = str(tmp_path / "events.db")
    module.Receiver.log_message = lambda *_: None
    return module


@pytest.fixture
def port(example: ModuleType) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), example.Receiver)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield int(server.server_address[1])
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(port: int) -> Iterator[WebhookClient]:
    location = parsed(f"http://127.0.0.1:{port}/", schemes=("http",))
    client = WebhookClient(Endpoint(location, allowed=(ip_network("127.0.0.0/8"),)))
    yield client
    client.close()


def publisher(client: WebhookClient, secret: str) -> WebhookPublisher:
    return WebhookPublisher(
        client, source="com.example", keys=[key_of(secret)], max_bytes=1_000_000, timeout_seconds=60.0
    )


def stored(tmp_path: Path) -> list[str]:
    with closing(sqlite3.connect(tmp_path / "events.db")) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM events ORDER BY id")]


def test_the_receiver_stores_each_event_once(client: WebhookClient, tmp_path: Path) -> None:
    events = [an_event(raw_transcript="“Grüße” 👋"), an_event()]
    sender = publisher(client, SECRET)

    outcomes = [*sender.publish_all(events), *sender.publish_all(events)]

    assert [type(outcome) for outcome in outcomes] == [Publication] * 4
    assert stored(tmp_path) == sorted(str(event.interaction_id) for event in events)


def test_the_receiver_refuses_another_secret(client: WebhookClient) -> None:
    (outcome,) = publisher(client, new_secret()).publish_all([an_event()])

    assert isinstance(outcome, EventBusUnavailableError)
    assert str(outcome).endswith("answered 401")


def test_the_receiver_takes_a_test_event_and_stores_nothing(client: WebhookClient, tmp_path: Path) -> None:
    publisher(client, SECRET).publish(an_event(), labels=(TEST_EVENT_LABEL,))

    assert not (tmp_path / "events.db").exists()


def test_the_receiver_refuses_what_is_old(example: ModuleType) -> None:
    headers = signed_headers([key_of(SECRET)], "1", 1_800_000_000, b"{}")

    assert example.is_signed(SECRET, headers, b"{}", now=1_800_000_299)
    assert not example.is_signed(SECRET, headers, b"{}", now=1_800_000_301)
    assert not example.is_signed(SECRET, headers, b"{ }", now=1_800_000_000)
    assert not example.is_signed(SECRET, {}, b"{}", now=1_800_000_000)
