"""Fixtures of the contract suites of `ports/event_infrastructure_port.py`."""

import pytest

from domain.model.route.route import RouteComponent, RouteNames
from tests.support.aws.routes import Clients, RouteOnAws

ORDER = [RouteComponent.DEAD_LETTER_QUEUE, RouteComponent.QUEUE, RouteComponent.RULE, RouteComponent.TARGET]
"""The requirements' order."""


class RouteFixtures:
    """Bind `clients` and `names`; at first the bus of `names` exists, and no other resource."""

    @pytest.fixture
    def clients(self) -> Clients:
        raise NotImplementedError

    @pytest.fixture
    def names(self) -> RouteNames:
        raise NotImplementedError

    @pytest.fixture
    def absent(self, clients: Clients, names: RouteNames) -> RouteOnAws:
        """A route that is not provisioned yet."""
        return RouteOnAws(clients, names)

    @pytest.fixture
    def route(self, absent: RouteOnAws) -> RouteOnAws:
        """A route as provisioned."""
        absent.infrastructure.provision()
        return absent
