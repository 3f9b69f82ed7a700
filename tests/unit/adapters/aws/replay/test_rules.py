"""Which rules of the bus teardown, tidying and cleaning up may remove: only those of our replays."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from moto import mock_aws

from adapters.aws.replay.replays import EventBridgeReplays
from adapters.aws.replay.rules import ReplayRules
from domain.model.route.route import RouteNames
from tests.contracts.replay_port import TENANT, everything
from tests.support.aws.routes import RouteOnAws, moto_clients

STEM = (
    "capture-transcripts-rule-of-team"  # 32 characters, after which the name of a replay leaves out the rest
)
NAMES = RouteNames(bus="orders", rule=f"{STEM}-one")
NEIGHBOUR = RouteNames(
    bus="orders", rule=f"{STEM}-two", queue="two", dead_letter_queue="two-dlq", archive="two-archive"
)
OF_OTHERS = "arn:aws:sqs:eu-central-1:123456789012:audit"
AUDITS = [
    f"{STEM}-replay-audit",
    f"{STEM}-replay-20261123T080000Z",
    f"{STEM}-replay-20261123T080000-0a1b2c3d-",
]


@pytest.fixture
def route() -> Iterator[RouteOnAws]:
    with mock_aws():
        clients = moto_clients()
        clients.events.create_event_bus(Name=NAMES.bus)
        yield _provisioned(RouteOnAws(clients, NAMES))


def _provisioned(route: RouteOnAws) -> RouteOnAws:
    assert route.infrastructure.provision(archive_days=7).ok
    return route


def _replays(route: RouteOnAws, *, later: timedelta = timedelta(0)) -> EventBridgeReplays:
    return EventBridgeReplays(
        route.clients.events,
        route.clients.sqs,
        route.names,
        pause=lambda _: None,
        now=lambda: datetime.now(UTC) + later,
    )


def _put_rule(route: RouteOnAws, name: str, *targets: str) -> str:
    events, bus = route.clients.events, route.names.bus
    events.put_rule(Name=name, EventBusName=bus, EventPattern='{"source": ["x"]}')
    if targets:
        numbered = [{"Id": str(number), "Arn": arn} for number, arn in enumerate(targets)]
        events.put_targets(Rule=name, EventBusName=bus, Targets=numbered)
    return name


def _rules(route: RouteOnAws) -> list[str]:
    found = route.clients.events.list_rules(EventBusName=route.names.bus, NamePrefix=f"{STEM}-replay-")
    return [rule["Name"] for rule in found["Rules"]]


def _new_name() -> str:
    return f"{STEM}-replay-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S')}-0a1b2c3d"


@pytest.mark.parametrize("name", AUDITS)
def test_a_teardown_leaves_rules_of_others_whose_names_begin_like_ours(route: RouteOnAws, name: str) -> None:
    _put_rule(route, name, OF_OTHERS)
    _replays(route).start(everything(TENANT))

    route.infrastructure.remove(force=True)

    assert _rules(route) == [name]


def test_a_teardown_leaves_the_replays_of_a_neighbour_on_the_same_bus(route: RouteOnAws) -> None:
    neighbour = _provisioned(RouteOnAws(route.clients, NEIGHBOUR))
    running = _replays(neighbour).start(everything(TENANT))

    route.infrastructure.remove(force=True)

    assert _rules(route) == [running]


def test_a_teardown_takes_rules_along_whose_replays_never_began(route: RouteOnAws) -> None:
    _put_rule(route, _new_name())

    route.infrastructure.remove(force=True)

    assert _rules(route) == []


def test_a_target_of_others_keeps_the_rule_of_a_replay_without_ours(route: RouteOnAws) -> None:
    name = _put_rule(route, _new_name(), route.attributes()["QueueArn"], OF_OTHERS)

    route.infrastructure.remove(force=True)

    found = route.clients.events.list_targets_by_rule(Rule=name, EventBusName=NAMES.bus)["Targets"]
    assert [target["Arn"] for target in found] == [OF_OTHERS]


def test_tidying_leaves_the_rules_of_a_neighbours_replays_that_are_over(route: RouteOnAws) -> None:
    neighbour = _provisioned(RouteOnAws(route.clients, NEIGHBOUR))
    theirs = _replays(neighbour).start(everything(TENANT))

    assert _replays(route, later=timedelta(days=1)).tidy() == ()
    assert _rules(route) == [theirs]


@pytest.mark.parametrize("name", AUDITS)
def test_cleaning_up_removes_no_rule_that_is_not_named_like_a_replay(route: RouteOnAws, name: str) -> None:
    _put_rule(route, name)

    _replays(route).clean_up(name)

    assert _rules(route) == [name]


def test_cleaning_up_never_removes_the_rule_of_the_route(route: RouteOnAws) -> None:
    _replays(route).clean_up(NAMES.rule)

    assert route.infrastructure.inspect(archive_days=7).ok


def test_cleaning_up_leaves_the_rule_of_a_neighbours_replay(route: RouteOnAws) -> None:
    neighbour = _provisioned(RouteOnAws(route.clients, NEIGHBOUR))
    theirs = _replays(neighbour).start(everything(TENANT))

    _replays(route).clean_up(theirs)

    assert _rules(route) == [theirs]


def test_a_rule_that_goes_before_its_targets_are_listed_counts_as_removed(route: RouteOnAws) -> None:
    rules = ReplayRules(route.clients.events, NAMES)

    assert rules.remove(_new_name(), route.attributes()["QueueArn"])
