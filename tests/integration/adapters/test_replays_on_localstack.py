"""Archive and replay, on LocalStack.

LocalStack 4.11.1 fails on a replay of an archive that holds anything, after it has begun it: the empty one
shows that the calls and their order are taken, the full one that a lost answer does no harm.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.aws.eventbridge.publisher import EventBridgePublisher
from adapters.aws.replay.replays import EventBridgeReplays
from domain.model.replays import ReplayState
from domain.model.route.route import RouteNames
from domain.services.route.replay import EventReplayService
from tests.contracts.replay_port import TENANT, everything
from tests.integration.conftest import Names
from tests.support.aws.routes import Clients, RouteOnAws
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_event


@pytest.fixture
def route(aws: Callable[..., Any], names: Names) -> RouteOnAws:
    clients = Clients(aws("events"), aws("sqs"), aws("kms"), aws("cloudwatch"))
    clients.events.create_event_bus(Name=names.bus)
    route = RouteOnAws(
        clients,
        RouteNames(names.bus, names.rule, names.queue, names.dlq, archive=f"archive-of-{names.bus}"),
    )
    assert route.infrastructure.provision(archive_days=1).ok
    return route


@pytest.fixture
def replays(route: RouteOnAws) -> EventBridgeReplays:
    return EventBridgeReplays(route.clients.events, route.clients.sqs, route.names, pause=lambda _: None)


def _rules(route: RouteOnAws) -> list[str]:
    rules = route.clients.events.list_rules(EventBusName=route.names.bus)["Rules"]
    return [rule["Name"] for rule in rules if "-replay-" in rule["Name"]]


@pytest.mark.parametrize("tenant_id", [None, TENANT])
def test_a_replay_begins_ends_and_leaves_nothing(
    route: RouteOnAws, replays: EventBridgeReplays, tenant_id: Any
) -> None:
    service = EventReplayService(replays, pause=lambda _: None)

    *_, last = service.follow(service.start(everything(tenant_id)))

    assert last.state is ReplayState.COMPLETED
    assert _rules(route) == []


def test_the_rule_of_one_tenant_stands_for_as_long_as_its_replay(
    route: RouteOnAws, replays: EventBridgeReplays
) -> None:
    name = replays.start(everything(TENANT))

    found = route.clients.events.describe_replay(ReplayName=name)["Destination"]["FilterArns"]
    assert _rules(route) == [name]
    assert [arn.rpartition("/")[2] for arn in found] == [name]
    replays.clean_up(name)
    assert _rules(route) == []


def test_our_events_reach_the_archive_and_a_beginning_whose_answer_was_lost_counts(
    route: RouteOnAws, replays: EventBridgeReplays
) -> None:
    names = route.names
    bus = EventBridgePublisher(
        route.clients.events, bus_name=names.bus, source=names.source, region="us-east-1"
    )
    bus.publish(an_event(tenant_id=TENANT))
    wait_until(lambda: route.archive()["EventCount"] == 1)

    name = replays.start(everything(TENANT))

    assert replays.look(name).state is ReplayState.STARTING
    assert replays.tidy() == (), "it may be running"
    assert json.loads(route.archive()["EventPattern"])["source"] == [names.source]
    route.infrastructure.remove(force=True, archive=True)
    assert _rules(route) == []
