"""Contract of the route on LocalStack."""

from collections.abc import Callable
from typing import Any

import pytest

from domain.model.route.route import RouteNames
from tests.contracts.event_infrastructure.archive import ArchiveContract
from tests.contracts.event_infrastructure.provisioning import ProvisioningContract
from tests.contracts.event_infrastructure.removal import RemovalContract
from tests.contracts.event_infrastructure.repair import RepairContract
from tests.integration.conftest import Names
from tests.support.aws.routes import Clients


@pytest.fixture
def clients(aws: Callable[..., Any]) -> Clients:
    return Clients(aws("events"), aws("sqs"), aws("kms"), aws("cloudwatch"))


class TestOnLocalStackWithTheDefaultBus(ProvisioningContract):
    @pytest.fixture
    def clients(self, clients: Clients) -> Clients:
        return clients

    @pytest.fixture
    def names(self, names: Names) -> RouteNames:
        return RouteNames(rule=names.rule, queue=names.queue, dead_letter_queue=names.dlq)


class TestUpkeepOnLocalStack(RepairContract, ArchiveContract, RemovalContract):
    @pytest.fixture
    def clients(self, clients: Clients, names: RouteNames) -> Clients:
        clients.events.create_event_bus(Name=names.bus)
        return clients

    @pytest.fixture
    def names(self, names: Names) -> RouteNames:
        return RouteNames(
            bus=names.bus,
            rule=names.rule,
            queue=names.queue,
            dead_letter_queue=names.dlq,
            archive=f"archive-of-{names.bus}",
        )


class TestOnLocalStackWithABusOfItsOwn(ProvisioningContract):
    @pytest.fixture
    def clients(self, clients: Clients, names: RouteNames) -> Clients:
        clients.events.create_event_bus(Name=names.bus)
        return clients

    @pytest.fixture
    def names(self, names: Names) -> RouteNames:
        return RouteNames(bus=names.bus, rule=names.rule, queue=names.queue, dead_letter_queue=names.dlq)
