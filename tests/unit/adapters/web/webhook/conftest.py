import ssl
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from adapters.web.locations import parsed
from adapters.web.webhook.client import WebhookClient
from adapters.web.webhook.endpoint import Endpoint
from adapters.web.webhook.publisher import WebhookPublisher
from adapters.web.webhook.signature import key_of
from tests.support.web.authority import Authority
from tests.support.web.names import Names
from tests.support.web.webhook_server import SECRET, WebhookServer, webhook_server
from tests.unit.adapters.web.conftest import HOST

LOOPBACK = ip_network("127.0.0.0/8")
SOURCE = "com.example.transcription"

BuildEndpoint = Callable[..., Endpoint]
BuildPublisher = Callable[..., WebhookPublisher]


@pytest.fixture
def endpoint(certified: ssl.SSLContext) -> Iterator[WebhookServer]:
    with webhook_server(certified) as running:
        yield running


@pytest.fixture
def hook_url(endpoint: WebhookServer) -> str:
    return f"https://{HOST}:{endpoint.port}/hooks/calls?token=hunter2"


@pytest.fixture
def build_endpoint(authority: Authority, hook_url: str) -> BuildEndpoint:
    """Build an endpoint whose name leads to this machine, which is allowed."""

    def build(url: str = hook_url, **options: Any) -> Endpoint:
        usual = {"allowed": (LOOPBACK,), "tls": authority.trusting, "resolve": Names("127.0.0.1")}
        return Endpoint(parsed(url, schemes=("https", "http")), **{**usual, **options})

    return build


@pytest.fixture
def build(build_endpoint: BuildEndpoint) -> Iterator[BuildPublisher]:
    """Build a publisher to the endpoint; its connections are closed before the endpoint."""
    clients: list[WebhookClient] = []

    def build(
        to: Endpoint | None = None, *, client_clock: Callable[[], float] = time.monotonic, **options: Any
    ) -> WebhookPublisher:
        usual = {"source": SOURCE, "keys": (key_of(SECRET),), "max_bytes": 1_000_000, "timeout_seconds": 30.0}
        clients.append(WebhookClient(to or build_endpoint(), clock=client_clock))
        return WebhookPublisher(clients[-1], **{**usual, **options})

    yield build
    for client in clients:
        client.close()


@pytest.fixture
def publisher(build: BuildPublisher) -> WebhookPublisher:
    return build()
