"""Diagnosis of each cause that breaks the route, on moto."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from adapters.aws.diagnosis.bus import BusDiagnosis, matches_plainly
from adapters.aws.diagnosis.queue import KEY_STATEMENT
from domain.model.route.route import Finding, RouteComponent, RouteNames
from tests.support.aws.routes import RouteOnAws, moto_clients

REGION = "eu-central-1"
PATTERN = {"source": ["com.yourapp.transcription"], "detail-type": ["BatchProcessingCompleted"]}


@pytest.fixture
def route() -> Iterator[RouteOnAws]:
    """Provisioned and sound, on a bus of its own."""
    with mock_aws():
        clients = moto_clients()
        clients.events.create_event_bus(Name="orders")
        route = RouteOnAws(clients, RouteNames(bus="orders"))
        route.infrastructure.provision()
        yield route


def _only(route: RouteOnAws) -> Finding:
    (finding,) = route.infrastructure.diagnose()
    return finding


def test_what_makes_the_bus_drop_events_is_told_without_a_look_at_the_queue(route: RouteOnAws) -> None:
    diagnosis = BusDiagnosis(route.clients.events, route.names)
    route.delete_queue()
    assert diagnosis.findings() == ()

    route.disable_rule()

    assert [finding.component for finding in diagnosis.findings()] == [RouteComponent.RULE]


def test_a_sound_route_has_no_findings(route: RouteOnAws) -> None:
    assert route.infrastructure.diagnose() == ()


def test_a_missing_bus_is_the_only_finding(route: RouteOnAws) -> None:
    route.delete_bus()

    finding = _only(route)

    assert (finding.component, finding.proven) == (RouteComponent.BUS, True)
    assert "create-event-bus --name orders" in finding.remedy


def test_a_missing_rule(route: RouteOnAws) -> None:
    route.delete_rule()

    assert _only(route)[:2] == (RouteComponent.RULE, "the rule capture-transcripts-rule does not exist")


def test_a_disabled_rule(route: RouteOnAws) -> None:
    route.disable_rule()

    finding = _only(route)

    assert (finding.component, finding.evidence) == (RouteComponent.RULE, "its state is DISABLED")
    assert "enable-rule --name capture-transcripts-rule --event-bus-name orders" in finding.remedy


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

    finding = _only(route)

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

    finding = _only(route)

    assert (finding.component, finding.proven) == (RouteComponent.PATTERN, False)


def test_eventbridges_own_verdict_comes_first(route: RouteOnAws) -> None:
    route.put_rule({**PATTERN, "source": [{"prefix": "com."}]})
    with patch.object(route.clients.events, "test_event_pattern", return_value={"Result": True}):
        assert route.infrastructure.diagnose() == ()
    with patch.object(route.clients.events, "test_event_pattern", return_value={"Result": False}):
        assert _only(route).component is RouteComponent.PATTERN


def test_without_the_permission_to_test_patterns_they_are_compared(route: RouteOnAws) -> None:
    denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "TestEventPattern")
    with patch.object(route.clients.events, "test_event_pattern", side_effect=denied):
        assert route.infrastructure.diagnose() == ()


def test_no_target(route: RouteOnAws) -> None:
    route.remove_target()

    finding = _only(route)

    assert (finding.component, finding.evidence) == (RouteComponent.TARGET, "the rule's targets are none")


def test_another_queue_as_target(route: RouteOnAws) -> None:
    other = route.attributes(route.names.dead_letter_queue)["QueueArn"]
    route.put_target(Arn=other)

    finding = _only(route)

    assert (finding.component, finding.evidence) == (RouteComponent.TARGET, f"the rule's targets are {other}")


def test_a_target_that_changes_events(route: RouteOnAws) -> None:
    route.put_target(Arn=route.attributes()["QueueArn"], Input='{"a": 1}')

    assert _only(route)[:2] == (RouteComponent.TARGET, "the rule's target changes events")


def test_a_missing_queue(route: RouteOnAws) -> None:
    route.delete_queue()

    assert _only(route)[:2] == (RouteComponent.QUEUE, "the queue meeting-transcripts-queue does not exist")


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": {"Service": "sns.amazonaws.com"}},
        {"Action": "sqs:ReceiveMessage"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:events:eu-central-1:123456789012:rule/x"}}},
    ],
    ids=["principal", "action", "source"],
)
def test_a_queue_policy_that_refuses(route: RouteOnAws, change: dict[str, Any]) -> None:
    route.set_policy({**route.wanted_statement(), **change})

    finding = _only(route)

    assert (finding.component, finding.proven) == (RouteComponent.QUEUE_POLICY, True)
    assert finding.problem == "the queue's policy refuses EventBridge"
    assert route.rule()["Arn"] in finding.remedy


def test_a_queue_policy_that_denies(route: RouteOnAws) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
    route.set_policy(route.wanted_statement(), deny)

    finding = _only(route)

    assert finding.component is RouteComponent.QUEUE_POLICY
    assert '"Effect": "Deny"' in finding.evidence


def test_no_queue_policy(route: RouteOnAws) -> None:
    route.clients.sqs.set_queue_attributes(QueueUrl=route.queue_url, Attributes={"Policy": ""})

    assert _only(route).evidence == "there is no policy"


def test_a_queue_policy_that_cannot_be_judged(route: RouteOnAws) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    route.set_policy({**route.wanted_statement(), "Condition": condition})

    assert _only(route).proven is False


def _encrypt(route: RouteOnAws, **key: Any) -> str:
    key_id: str = route.clients.kms.create_key(**key)["KeyMetadata"]["KeyId"]
    route.set_attributes(KmsMasterKeyId=key_id)
    return key_id


def _key_policy(*actions: str) -> str:
    statements = [
        f'{{"Effect": "Allow", "Principal": {{"Service": "events.amazonaws.com"}}, "Action": "{action}", '
        '"Resource": "*"}'
        for action in actions
    ]
    return f'{{"Version": "2012-10-17", "Statement": [{", ".join(statements)}]}}'


@pytest.mark.parametrize("key", ["alias/aws/sqs", "arn:aws:kms:eu-central-1:123456789012:alias/aws/sqs"])
def test_the_key_that_belongs_to_sqs(route: RouteOnAws, key: str) -> None:
    route.set_attributes(KmsMasterKeyId=key)

    finding = _only(route)

    assert finding[:2] == (RouteComponent.ENCRYPTION, "the queue's key cannot be used by EventBridge")
    assert "alias/aws/sqs" in finding.evidence


def test_a_key_that_aws_manages(route: RouteOnAws) -> None:
    key_id = _encrypt(route, Policy=_key_policy("kms:*"))
    described = route.clients.kms.describe_key(KeyId=key_id)
    described["KeyMetadata"]["KeyManager"] = "AWS"
    with patch.object(route.clients.kms, "describe_key", return_value=described):
        assert "belongs to AWS" in _only(route).evidence


def test_a_key_whose_policy_leaves_eventbridge_out(route: RouteOnAws) -> None:
    _encrypt(route)

    findings = route.infrastructure.diagnose()

    assert [finding.component for finding in findings] == [
        RouteComponent.ENCRYPTION,
        RouteComponent.ENCRYPTION,
    ]
    assert "kms:GenerateDataKey" in findings[0].problem
    assert "kms:Decrypt" in findings[1].problem
    assert all(KEY_STATEMENT in finding.remedy for finding in findings)


def test_the_statement_that_is_printed_for_a_key_lets_eventbridge_in(route: RouteOnAws) -> None:
    _encrypt(route, Policy=f'{{"Version": "2012-10-17", "Statement": [{KEY_STATEMENT}]}}')

    assert route.infrastructure.diagnose() == ()


def test_a_key_whose_policy_forgets_one_action(route: RouteOnAws) -> None:
    _encrypt(route, Policy=_key_policy("kms:Decrypt"))

    assert "kms:GenerateDataKey" in _only(route).problem


@pytest.mark.parametrize("actions", [("kms:GenerateDataKey*", "kms:Decrypt"), ("kms:*",)])
def test_a_key_that_lets_eventbridge_in_is_sound(route: RouteOnAws, actions: tuple[str, ...]) -> None:
    _encrypt(route, Policy=_key_policy(*actions))

    assert route.infrastructure.diagnose() == ()


def test_a_key_that_does_not_exist(route: RouteOnAws) -> None:
    missing = str(uuid4())
    route.set_attributes(KmsMasterKeyId=missing)

    assert _only(route).evidence == f"the queue's key {missing} does not exist"


def test_a_key_that_is_disabled(route: RouteOnAws) -> None:
    key_id = _encrypt(route, Policy=_key_policy("kms:*"))
    route.clients.kms.disable_key(KeyId=key_id)

    assert "is in state Disabled" in _only(route).evidence


@pytest.mark.parametrize("operation", ["describe_key", "get_key_policy"])
def test_a_key_that_may_not_be_read_is_said_to_be_unchecked(route: RouteOnAws, operation: str) -> None:
    _encrypt(route)
    denied = ClientError(
        {"Error": {"Code": "AccessDeniedException", "Message": "no kms permission"}}, "GetKeyPolicy"
    )
    with patch.object(route.clients.kms, operation, side_effect=denied):
        finding = _only(route)

    assert (finding.component, finding.proven) == (RouteComponent.ENCRYPTION, False)
    assert finding.problem == "the encryption could not be checked"
    assert "no kms permission" in finding.evidence
    assert KEY_STATEMENT in finding.remedy


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
        finding = _only(route)

    assert (finding.component, finding.proven) == (component, False)


def test_several_broken_links_are_all_named(route: RouteOnAws) -> None:
    route.disable_rule()
    route.remove_target()
    route.set_attributes(KmsMasterKeyId="alias/aws/sqs")

    links = [finding.component for finding in route.infrastructure.diagnose()]

    assert links == [RouteComponent.RULE, RouteComponent.TARGET, RouteComponent.ENCRYPTION]


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
