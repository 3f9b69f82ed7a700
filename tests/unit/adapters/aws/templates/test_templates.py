"""The templates of the route say what provisioning would create, attribute by attribute."""

import json
import re
from typing import Any

import pytest

from adapters.aws.route.definition import Route, wanted_events
from adapters.aws.templates.cloudformation import cloudformation
from adapters.aws.templates.templates import WantedRoute
from adapters.aws.templates.terraform import terraform
from domain.model.route.route import RouteNames

NAMES = RouteNames(
    bus="a-bus", rule="a-rule", queue="a-queue", dead_letter_queue="a-dlq", archive="an-archive"
)
ARN = "arn:aws-cn:events:cn-north-1:123456789012:event-bus/a-bus"
IN_CLOUDFORMATION = {
    "${AWS::Partition}": "aws-cn",
    "${AWS::Region}": "cn-north-1",
    "${AWS::AccountId}": "123456789012",
}
IN_TERRAFORM = {
    "${data.aws_partition.current.partition}": "aws-cn",
    "${data.aws_region.current.id}": "cn-north-1",
    "${data.aws_caller_identity.current.account_id}": "123456789012",
}
TERRAFORM_ARGUMENTS = {
    "VisibilityTimeout": "visibility_timeout_seconds",
    "MessageRetentionPeriod": "message_retention_seconds",
    "MaximumMessageSize": "max_message_size",
    "SqsManagedSseEnabled": "sqs_managed_sse_enabled",
    "KmsMasterKeyId": "kms_master_key_id",
}


def deployed(text: str) -> dict[str, Any]:
    """The resources, as CloudFormation reads them in China."""
    for placeholder, value in IN_CLOUDFORMATION.items():
        text = text.replace(placeholder, value)
    assert "${" not in text
    resources: dict[str, Any] = json.loads(
        text, object_hook=lambda found: found.get("Fn::Sub", found) if len(found) == 1 else found
    )["Resources"]
    return resources


def applied(text: str) -> dict[str, Any]:
    """The resources, as Terraform reads them in China; references to others stay."""
    for placeholder, value in IN_TERRAFORM.items():
        text = text.replace(placeholder, value)
    assert "@" not in text
    resources: dict[str, Any] = json.loads(text)["resource"]
    return resources


def read(value: str) -> Any:
    """An attribute that SQS takes as a text."""
    return json.loads(value) if re.match(r"[\d{tf]", value) else value


@pytest.mark.parametrize("key", [None, "alias/transcripts"])
@pytest.mark.parametrize("archive_days", [None, 30])
def test_cloudformation_creates_queues_with_what_provisioning_gives_them(
    key: str | None, archive_days: int | None
) -> None:
    wanted = Route(NAMES, ARN, key, replays=archive_days is not None)

    found = deployed(cloudformation(WantedRoute(NAMES, key=key, archive_days=archive_days)))

    for name, queue, attributes in (
        ("a-queue", "Queue", wanted.queue_attributes),
        ("a-dlq", "DeadLetterQueue", wanted.dead_letter_queue_attributes),
    ):
        policy = found[f"{queue}Policy"]["Properties"]
        assert policy["Queues"] == [{"Ref": queue}]
        expected = {attribute: read(value) for attribute, value in attributes.items()}
        found_ones = found[queue]["Properties"] | {"Policy": policy["PolicyDocument"]}
        assert found_ones == {"QueueName": name} | expected


def test_cloudformation_creates_the_rule_once_the_queues_admit_it() -> None:
    rule = deployed(cloudformation(WantedRoute(NAMES)))["Rule"]

    assert rule["DependsOn"] == ["QueuePolicy", "DeadLetterQueuePolicy"]
    assert rule["Properties"] == {
        "Name": "a-rule",
        "EventBusName": "a-bus",
        "EventPattern": wanted_events(NAMES),
        "State": "ENABLED",
        "Targets": [Route(NAMES, ARN).target],
    }


def test_cloudformation_creates_an_archive_where_one_is_wanted() -> None:
    assert "Archive" not in deployed(cloudformation(WantedRoute(NAMES)))
    assert deployed(cloudformation(WantedRoute(NAMES, archive_days=0)))["Archive"]["Properties"] == {
        "ArchiveName": "an-archive",
        "SourceArn": ARN,
        "EventPattern": wanted_events(NAMES),
        "RetentionDays": 0,
    }


@pytest.mark.parametrize("key", [None, "alias/transcripts"])
@pytest.mark.parametrize("archive_days", [None, 30])
def test_terraform_creates_queues_with_what_provisioning_gives_them(
    key: str | None, archive_days: int | None
) -> None:
    wanted = Route(NAMES, ARN, key, replays=archive_days is not None)

    found = applied(terraform(WantedRoute(NAMES, key=key, archive_days=archive_days)))

    for name, queue, attributes in (
        ("a-queue", "transcripts", wanted.queue_attributes),
        ("a-dlq", "dead_letters", wanted.dead_letter_queue_attributes),
    ):
        arguments = found["aws_sqs_queue"][queue]
        assert arguments["name"] == name
        assert arguments.get("redrive_policy") == attributes.get("RedrivePolicy")
        for attribute in attributes.keys() - {"Policy", "RedrivePolicy"}:
            assert arguments[TERRAFORM_ARGUMENTS[attribute]] == read(attributes[attribute])
        policy = found["aws_sqs_queue_policy"][queue]
        assert policy == {"queue_url": f"${{aws_sqs_queue.{queue}.id}}", "policy": attributes["Policy"]}


def test_terraform_creates_rule_and_target() -> None:
    found, target = applied(terraform(WantedRoute(NAMES))), Route(NAMES, ARN).target

    rule = found["aws_cloudwatch_event_rule"]["transcripts"]
    assert (rule["name"], rule["event_bus_name"], rule["state"]) == ("a-rule", "a-bus", "ENABLED")
    assert json.loads(rule["event_pattern"]) == wanted_events(NAMES)
    assert found["aws_cloudwatch_event_target"]["transcripts"] == {
        "rule": "${aws_cloudwatch_event_rule.transcripts.name}",
        "event_bus_name": "a-bus",
        "target_id": target["Id"],
        "arn": target["Arn"],
        "dead_letter_config": {"arn": target["DeadLetterConfig"]["Arn"]},
        "retry_policy": {"maximum_event_age_in_seconds": 86400, "maximum_retry_attempts": 185},
        "depends_on": ["aws_sqs_queue_policy.transcripts", "aws_sqs_queue_policy.dead_letters"],
    }


def test_terraform_creates_an_archive_where_one_is_wanted() -> None:
    assert "aws_cloudwatch_event_archive" not in applied(terraform(WantedRoute(NAMES)))
    archive = applied(terraform(WantedRoute(NAMES, archive_days=7)))["aws_cloudwatch_event_archive"][
        "transcripts"
    ]
    assert (archive["name"], archive["event_source_arn"], archive["retention_days"]) == ("an-archive", ARN, 7)
    assert json.loads(archive["event_pattern"]) == wanted_events(NAMES)
