"""A route on moto to diagnose."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from domain.model.route.route import RouteNames
from tests.support.aws.routes import RouteOnAws, moto_clients


@pytest.fixture
def route() -> Iterator[RouteOnAws]:
    """Provisioned and sound, on a bus of its own."""
    with mock_aws():
        clients = moto_clients()
        clients.events.create_event_bus(Name="orders")
        route = RouteOnAws(clients, RouteNames(bus="orders"))
        route.infrastructure.provision()
        yield route
