"""Diagnosis of each cause that breaks the route, on moto."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from adapters.aws.diagnosis.bus import BusDiagnosis
from adapters.aws.diagnosis.patterns import matches_plainly
from domain.model.route.route import RouteComponent
from tests.support.aws.routes import RouteOnAws, only_finding

REGION = "eu-central-1"
PATTERN = {"source": ["com.yourapp.transcription"], "detail-type": ["BatchProcessingCompleted"]}


def test_what_makes_the_bus_drop_events_is_told_without_a_look_at_the_queue(route: RouteOnAws) -> None:
    diagnosis = BusDiagnosis(route.clients.events, route.names)
    route.delete_queue()
    assert diagnosis.findings() == ()

    route.disable_rule()

    assert [finding.component for finding in diagnosis.findings()] == [RouteComponent.RULE]


def test_a_sound_route_has_no_findings(route: RouteOnAws) -> None:
    assert route.infrastructure.diagnose() == ()


@pytest.mark.parametrize(
    ("broken", "component", "told"),
    [
        (RouteOnAws.delete_bus, RouteComponent.BUS, "create-event-bus --name orders"),
        (RouteOnAws.delete_rule, RouteComponent.RULE, "the rule capture-transcripts-rule does not exist"),
        (RouteOnAws.disable_rule, RouteComponent.RULE, "its state is DISABLED"),
        (
            RouteOnAws.disable_rule,
            RouteComponent.RULE,
            "enable-rule --name capture-transcripts-rule --event-bus-name orders",
        ),
        (RouteOnAws.remove_target, RouteComponent.TARGET, "the rule's targets are none"),
        (RouteOnAws.delete_queue, RouteComponent.QUEUE, "the queue meeting-transcripts-queue does not exist"),
    ],
)
def test_a_link_that_is_missing_or_disabled_is_the_only_finding(
    route: RouteOnAws, broken: Callable[[RouteOnAws], object], component: RouteComponent, told: str
) -> None:
    broken(route)

    finding = only_finding(route)

    assert (finding.component, finding.proven) == (component, True)
    assert told in f"{finding.problem} {finding.evidence} {finding.remedy}"


@pytest.mark.parametrize(
    "pattern",
    [
        {**PATTERN, "source": ["com.other"]},
        {**PATTERN, "detail-type": ["Other"]},
        {**PATTERN, "detail": {"status": ["failed"]}},
        {**PATTERN, "account": ["999999999999"]},
        {**PATTERN, "resources": ["arn:other"]},
    ],
    ids=str,
)
def test_a_pattern_that_does_not_match(route: RouteOnAws, pattern: dict[str, Any]) -> None:
    route.put_rule(pattern)

    finding = only_finding(route)

    assert (finding.component, finding.proven) == (RouteComponent.PATTERN, True)
    assert finding.problem == "the rule's pattern does not match our events"
    assert "com.yourapp.transcription" in finding.remedy


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["com.yourapp.transcription"]},
        {**PATTERN, "source": ["com.other", "com.yourapp.transcription"]},
        {**PATTERN, "detail": {"version": ["1.0"], "account_id": [None]}},
        {**PATTERN, "region": [REGION]},
    ],
    ids=str,
)
def test_a_wider_pattern_that_matches_is_sound(route: RouteOnAws, pattern: dict[str, Any]) -> None:
    route.put_rule(pattern)

    assert route.infrastructure.diagnose() == ()


def test_a_pattern_beyond_us_is_not_judged_where_eventbridge_does_not_either(route: RouteOnAws) -> None:
    route.put_rule({**PATTERN, "source": [{"prefix": "com."}]})

    finding = only_finding(route)

    assert (finding.component, finding.proven) == (RouteComponent.PATTERN, False)


def test_eventbridges_own_verdict_comes_first(route: RouteOnAws) -> None:
    route.put_rule({**PATTERN, "source": [{"prefix": "com."}]})
    with patch.object(route.clients.events, "test_event_pattern", return_value={"Result": True}):
        assert route.infrastructure.diagnose() == ()
    with patch.object(route.clients.events, "test_event_pattern", return_value={"Result": False}):
        assert only_finding(route).component is RouteComponent.PATTERN


def test_without_the_permission_to_test_patterns_they_are_compared(route: RouteOnAws) -> None:
    denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "TestEventPattern")
    with patch.object(route.clients.events, "test_event_pattern", side_effect=denied):
        assert route.infrastructure.diagnose() == ()


@pytest.mark.parametrize(
    ("service", "operation", "component"),
    [
        ("events", "describe_event_bus", RouteComponent.BUS),
        ("events", "describe_rule", RouteComponent.RULE),
        ("events", "list_targets_by_rule", RouteComponent.TARGET),
        ("sqs", "get_queue_attributes", RouteComponent.QUEUE),
    ],
)
def test_a_link_that_may_not_be_read_is_said_to_be_unchecked(
    route: RouteOnAws, service: str, operation: str, component: RouteComponent
) -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied"}}, operation)
    with patch.object(getattr(route.clients, service), operation, side_effect=denied):
        finding = only_finding(route)

    assert (finding.component, finding.proven) == (component, False)


def test_several_broken_links_are_all_named(route: RouteOnAws) -> None:
    route.disable_rule()
    route.remove_target()
    route.set_attributes(KmsMasterKeyId="alias/aws/sqs")

    components = [finding.component for finding in route.infrastructure.diagnose()]

    assert components == [RouteComponent.RULE, RouteComponent.TARGET, RouteComponent.ENCRYPTION]


def test_diagnosing_changes_nothing_and_sends_nothing(route: RouteOnAws) -> None:
    before = (route.attributes(), route.rule()["EventPattern"], route.targets())

    route.infrastructure.diagnose()

    assert (route.attributes(), route.rule()["EventPattern"], route.targets()) == before
    assert route.queue.depth() == (0, 0)


@pytest.mark.parametrize(
    ("pattern", "event", "matches"),
    [
        ({"a": ["x"]}, {"a": "x"}, True),
        ({"a": ["x"]}, {"a": "y"}, False),
        ({"a": ["x"]}, {}, False),
        ({"a": [None]}, {"a": None}, True),
        ({"a": ["x"]}, {"a": ["y", "x"]}, True),
        ({"a": {"b": [1]}}, {"a": {"b": 1}}, True),
        ({"a": {"b": [1]}}, {"a": "text"}, False),
        ({"a": [{"exists": True}]}, {"a": "x"}, None),
        ({"a": [{"exists": True}], "b": ["x"]}, {"a": "x", "b": "y"}, False),
        ({"$or": [{"a": ["x"]}]}, {"a": "x"}, None),
        ({}, {"a": "x"}, True),
        ([], {"a": "x"}, False),
    ],
)
def test_plain_patterns_are_compared_and_others_are_not(
    pattern: object, event: object, matches: object
) -> None:
    assert matches_plainly(pattern, event) is matches
