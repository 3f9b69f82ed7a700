"""Inspection, repair and removal of a route with refusals, failures and concurrent changes."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from domain.model.errors import InfrastructureError
from domain.model.route.route import RouteComponent, RouteNames
from domain.model.route.status import RemovalOutcome
from tests.support.aws.routes import RouteOnAws, moto_clients

pytestmark = pytest.mark.slow

DAYS = 7


@pytest.fixture
def absent() -> Iterator[RouteOnAws]:
    with mock_aws():
        yield RouteOnAws(moto_clients(), RouteNames())


@pytest.fixture
def route(absent: RouteOnAws) -> RouteOnAws:
    absent.infrastructure.provision(archive_days=DAYS)
    return absent


def _refusing(route: RouteOnAws, service: str, operation: str, action: str) -> Any:
    """Build AWS's error for a missing permission."""
    message = f"not authorized to perform: {action}"
    refused = ClientError(
        {"Error": {"Code": "AccessDeniedException", "Message": message}}, action.partition(":")[2]
    )
    return patch.object(getattr(route.clients, service), operation, side_effect=refused)


@pytest.mark.parametrize(
    ("service", "operation", "action", "components"),
    [
        ("sqs", "get_queue_url", "sqs:GetQueueUrl", {RouteComponent.QUEUE, RouteComponent.DEAD_LETTER_QUEUE}),
        (
            "sqs",
            "get_queue_attributes",
            "sqs:GetQueueAttributes",
            {RouteComponent.QUEUE, RouteComponent.DEAD_LETTER_QUEUE},
        ),
        ("events", "describe_rule", "events:DescribeRule", {RouteComponent.RULE}),
        ("events", "list_targets_by_rule", "events:ListTargetsByRule", {RouteComponent.TARGET}),
        ("events", "describe_archive", "events:DescribeArchive", {RouteComponent.ARCHIVE}),
    ],
)
def test_what_may_not_be_read_is_named_with_its_action_and_the_rest_is_still_seen(
    route: RouteOnAws, service: str, operation: str, action: str, components: set[RouteComponent]
) -> None:
    with _refusing(route, service, operation, action):
        inspection = route.infrastructure.inspect(archive_days=DAYS)

    hidden = [resource for resource in inspection.resources if resource.exists is None]
    assert {resource.component for resource in hidden} == components
    assert all(
        action in resource.problem and "give these credentials" in resource.problem for resource in hidden
    )
    assert all(resource.ok for resource in inspection.resources if resource.exists)
    assert not inspection.ok


def test_an_archive_that_nobody_asked_for_may_be_hidden(route: RouteOnAws) -> None:
    with _refusing(route, "events", "describe_archive", "events:DescribeArchive"):
        assert route.infrastructure.inspect().ok
        assert route.infrastructure.provision().ok, "nor does provisioning look for it"


def test_without_the_bus_nothing_can_be_compared_and_the_action_is_named(route: RouteOnAws) -> None:
    with (
        _refusing(route, "events", "describe_event_bus", "events:DescribeEventBus"),
        pytest.raises(InfrastructureError, match="events:DescribeEventBus"),
    ):
        route.infrastructure.inspect()


def _drift(route: RouteOnAws) -> None:
    route.set_attributes(VisibilityTimeout="31")
    route.disable_rule()
    route.put_target(InputPath="$.detail")
    route.clients.events.update_archive(ArchiveName=route.names.archive, RetentionDays=1)


@pytest.mark.parametrize(
    ("service", "operation", "action", "resource"),
    [
        ("sqs", "set_queue_attributes", "sqs:SetQueueAttributes", "repairing the queue"),
        ("events", "put_rule", "events:PutRule", "repairing the rule"),
        ("events", "put_targets", "events:PutTargets", "repairing the target"),
        ("events", "update_archive", "events:UpdateArchive", "repairing the archive"),
    ],
)
def test_a_repair_that_is_refused_names_the_action_and_the_next_one_completes_it(
    route: RouteOnAws, service: str, operation: str, action: str, resource: str
) -> None:
    _drift(route)

    with (
        _refusing(route, service, operation, action),
        pytest.raises(InfrastructureError, match=rf"{resource} .* failed: AccessDenied.*{action}"),
    ):
        route.infrastructure.repair(archive_days=DAYS)

    route.infrastructure.repair(archive_days=DAYS)
    assert route.infrastructure.inspect(archive_days=DAYS).ok


@pytest.mark.parametrize("operation", ["put_rule", "put_targets", "create_archive"])
def test_provisioning_that_was_broken_off_is_completed_by_the_next_run(
    absent: RouteOnAws, operation: str
) -> None:
    interrupted = patch.object(absent.clients.events, operation, side_effect=KeyboardInterrupt)
    with interrupted, pytest.raises(KeyboardInterrupt):
        absent.infrastructure.provision(archive_days=DAYS)

    assert absent.infrastructure.provision(archive_days=DAYS).ok
    assert absent.infrastructure.inspect(archive_days=DAYS).ok


@pytest.mark.parametrize("queue", ["dead_letter_queue", "queue"])
def test_a_queue_is_created_whole_or_not_at_all(absent: RouteOnAws, queue: str) -> None:
    created: list[dict[str, Any]] = []
    really = absent.clients.sqs.create_queue

    def create(**request: Any) -> Any:
        created.append(request)
        if request["QueueName"] == getattr(absent.names, queue):
            really(**request)
            raise KeyboardInterrupt
        return really(**request)

    with patch.object(absent.clients.sqs, "create_queue", create), pytest.raises(KeyboardInterrupt):
        absent.infrastructure.provision()

    assert absent.infrastructure.provision().ok
    assert absent.infrastructure.inspect().ok
    assert {"Policy", "MaximumMessageSize", "SqsManagedSseEnabled"} <= created[-1]["Attributes"].keys()


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("events", "remove_targets", "events:RemoveTargets"),
        ("events", "delete_rule", "events:DeleteRule"),
        ("sqs", "delete_queue", "sqs:DeleteQueue"),
        ("events", "delete_archive", "events:DeleteArchive"),
    ],
)
def test_a_teardown_that_is_refused_names_the_action_and_the_next_one_completes_it(
    route: RouteOnAws, service: str, operation: str, action: str
) -> None:
    with (
        _refusing(route, service, operation, action),
        pytest.raises(InfrastructureError, match=rf"removing the .*{action}"),
    ):
        route.infrastructure.remove(archive=True)

    route.infrastructure.remove(archive=True)
    assert not any(resource.exists for resource in route.infrastructure.inspect().resources)


def test_nothing_is_removed_where_rules_of_replays_may_not_be_listed(route: RouteOnAws) -> None:
    with (
        patch.object(
            route.clients.events,
            "get_paginator",
            side_effect=ClientError({"Error": {"Code": "AccessDeniedException"}}, "ListRules"),
        ),
        pytest.raises(InfrastructureError, match=r"the rules of replays failed: AccessDenied.* at ListRules"),
    ):
        route.infrastructure.remove()

    assert route.infrastructure.inspect(archive_days=DAYS).ok


def _after(operation: Callable[..., Any], then: Callable[[], object]) -> Callable[..., Any]:
    def both(**request: Any) -> Any:
        answer = operation(**request)
        then()
        return answer

    return both


def test_an_event_that_arrives_while_the_rule_goes_keeps_the_queue(route: RouteOnAws) -> None:
    def arrive() -> None:
        route.clients.sqs.send_message(QueueUrl=route.queue_url, MessageBody="a late event")

    events = route.clients.events
    with (
        patch.object(events, "delete_rule", _after(events.delete_rule, arrive)),
        pytest.raises(
            InfrastructureError, match=r"1 waiting.*Target and rule are removed, the queues are not"
        ),
    ):
        route.infrastructure.remove()

    assert [resource.exists for resource in route.infrastructure.inspect().resources[:4]] == [
        True,
        True,
        False,
        False,
    ]
    (message,) = route.queue.receive(1, visibility_timeout=30)
    assert message.body == "a late event"


def test_what_somebody_else_removes_meanwhile_is_removed(route: RouteOnAws) -> None:
    events, sqs = route.clients.events, route.clients.sqs
    gone = events.exceptions.ResourceNotFoundException({"Error": {"Code": "ResourceNotFoundException"}}, "x")
    missing = ClientError({"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue"}}, "DeleteQueue")
    with (
        patch.object(events, "remove_targets", side_effect=gone),
        patch.object(events, "list_targets_by_rule", side_effect=[{"Targets": route.targets()}, {}, {}]),
        patch.object(sqs, "delete_queue", side_effect=missing),
        patch.object(events, "delete_rule", side_effect=gone),
    ):
        removals = route.infrastructure.remove()

    assert [removal.outcome for removal in removals[:4]] == [RemovalOutcome.REMOVED] * 4


def test_a_repair_writes_a_policy_only_where_ours_differs(route: RouteOnAws) -> None:
    route.set_attributes(VisibilityTimeout="31")
    written: list[dict[str, str]] = []
    really = route.clients.sqs._client.set_queue_attributes

    def record(**request: Any) -> Any:
        written.append(request["Attributes"])
        kept = {"Policy": route.attributes()["Policy"]}
        return really(**{**request, "Attributes": kept | request["Attributes"]})

    with patch.object(route.clients.sqs, "set_queue_attributes", record):
        route.infrastructure.repair(archive_days=DAYS)

    assert written == [{"VisibilityTimeout": "30"}]


def test_the_rest_of_a_policy_is_kept_as_it_is(route: RouteOnAws) -> None:
    theirs = {
        "Sid": "theirs",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:PurgeQueue",
        "Resource": "*",
    }
    policy = {"Version": "2008-10-17", "Id": "a-team", "Statement": theirs}
    route.set_attributes(Policy=json.dumps(policy))

    route.infrastructure.repair()

    found = json.loads(route.attributes()["Policy"])
    assert (found["Version"], found["Id"]) == ("2008-10-17", "a-team")
    assert [statement["Sid"] for statement in found["Statement"]] == [
        "EventBridgeMaySendForThisRule",
        "theirs",
    ]


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("alias/ours", "arn:aws:kms:eu-central-1:123456789012:alias/ours"),
        ("0f0e", "arn:aws:kms:eu-central-1:123456789012:key/0f0e"),
        ("arn:aws:kms:eu-central-1:123456789012:key/0f0e", "0f0e"),
    ],
)
def test_a_key_is_the_same_however_it_is_named(route: RouteOnAws, named: str, found: str) -> None:
    route.set_attributes(KmsMasterKeyId=found)
    route.set_dead_letter_attributes(KmsMasterKeyId=found)
    keyed = route.with_key(named)

    assert keyed.inspect(archive_days=DAYS).ok
