"""The files for CloudFormation and Terraform create what `Route` describes, attribute by attribute."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.aws.route.definition import Route, wanted_events
from bootstrap.operator.templates import RouteTemplate, route_template
from bootstrap.settings import Settings
from domain.model.events.kinds import EventKind
from domain.model.route.route import DEFAULT_ROUTES, RouteNames

DEPLOY = Path(__file__).parents[4] / "deploy"
CHINA = "arn:aws-cn:events:cn-north-1:123456789012:event-bus/"
BARE = Route(RouteNames(), CHINA + "default")
ARCHIVED = Route(RouteNames(), CHINA + "default", replays=True)
FULL = Route(
    RouteNames("a-bus", "r" * 50, "q" * 75, "a-dlq", "com.acme", "an-archive"),
    CHINA + "a-bus",
    "alias/transcripts",
    replays=True,
)
FAILED = Route(DEFAULT_ROUTES[EventKind.FAILED], CHINA + "default")
ERASED = Route(DEFAULT_ROUTES[EventKind.ERASED], CHINA + "default")
ROUTES = [(BARE, None), (ARCHIVED, 0), (FULL, 30), (FAILED, None), (ERASED, None)]


@pytest.mark.parametrize(("route", "archive_days"), ROUTES)
def test_cloudformation_creates_what_provisioning_creates(route: Route, archive_days: int | None) -> None:
    template = printed(route, RouteTemplate.CLOUDFORMATION, archive_days)
    found = in_cloudformation(template)

    for queue, name, attributes in queues(route, "Queue", "DeadLetterQueue"):
        policy = {"Queues": [queue], "PolicyDocument": attributes.pop("Policy")}
        assert found[f"{queue}Policy"] == policy
        assert found[queue] == {"QueueName": name, **attributes}
    pattern = wanted_events(route.names)
    assert found["Rule"] == {
        "Name": route.names.rule,
        "EventBusName": route.names.bus,
        "EventPattern": pattern,
        "State": "ENABLED",
        "Targets": [route.target],
    }
    assert template["Resources"]["Rule"]["DependsOn"] == ["QueuePolicy", "DeadLetterQueuePolicy"]
    archive = {
        "ArchiveName": route.names.archive,
        "SourceArn": route.bus_arn,
        "EventPattern": pattern,
        "RetentionDays": str(archive_days),
    }
    assert found.get("Archive") == (None if archive_days is None else archive)


@pytest.mark.parametrize(("route", "archive_days"), ROUTES)
def test_terraform_creates_what_provisioning_creates(route: Route, archive_days: int | None) -> None:
    found = in_terraform(printed(route, RouteTemplate.TERRAFORM, archive_days))

    for queue, name, attributes in queues(route, "transcripts", "dead_letters"):
        policy = {"queue_url": f"${{aws_sqs_queue.{queue}.id}}", "policy": attributes.pop("Policy")}
        assert found["aws_sqs_queue_policy"][queue] == policy
        arguments = {ARGUMENTS[attribute]: value for attribute, value in attributes.items()}
        found["aws_sqs_queue"][queue].pop("depends_on", None)
        assert found["aws_sqs_queue"][queue].pop("lifecycle") == {"prevent_destroy": True}
        assert found["aws_sqs_queue"][queue] == {"name": name, **arguments}
    bus, pattern, target = route.names.bus, wanted_events(route.names), route.target
    rule = {"name": route.names.rule, "event_bus_name": bus, "event_pattern": pattern, "state": "ENABLED"}
    assert found["aws_cloudwatch_event_rule"]["transcripts"] == rule
    assert found["aws_cloudwatch_event_target"]["transcripts"] == {
        "rule": "${aws_cloudwatch_event_rule.transcripts.name}",
        "event_bus_name": bus,
        "target_id": target["Id"],
        "arn": target["Arn"],
        "dead_letter_config": {"arn": target["DeadLetterConfig"]["Arn"]},
        "retry_policy": {
            "maximum_event_age_in_seconds": target["RetryPolicy"]["MaximumEventAgeInSeconds"],
            "maximum_retry_attempts": target["RetryPolicy"]["MaximumRetryAttempts"],
        },
        "depends_on": ["aws_sqs_queue_policy.transcripts", "aws_sqs_queue_policy.dead_letters"],
    }
    archive = found["aws_cloudwatch_event_archive"]["transcripts"]
    assert archive.pop("count") == (0 if archive_days is None else 1)
    assert archive == {
        "name": route.names.archive,
        "event_source_arn": route.bus_arn,
        "event_pattern": pattern,
        **({} if archive_days is None else {"retention_days": archive_days}),
    }


def test_queues_and_their_messages_outlive_the_stack() -> None:
    template = printed(BARE, RouteTemplate.CLOUDFORMATION, None)

    for queue in ("Queue", "DeadLetterQueue"):
        resource = template["Resources"][queue]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_files_have_the_settings_defaults() -> None:
    template, configuration = (
        json.loads((DEPLOY / file).read_text(encoding="utf-8"))
        for file in ("cloudformation.json", "terraform.tf.json")
    )

    assert in_cloudformation(template) == in_cloudformation(printed(BARE, RouteTemplate.CLOUDFORMATION, None))
    assert configuration == printed(BARE, RouteTemplate.TERRAFORM, None)


def printed(route: Route, template: RouteTemplate, archive_days: int | None) -> dict[str, Any]:
    names = route.names
    settings = Settings(
        EVENTBRIDGE_BUS_NAME=names.bus,
        EVENT_SOURCE=names.source,
        QUEUE_KMS_KEY=route.key,
        **{
            names.variable("RULE_NAME"): names.rule,
            names.variable("QUEUE_NAME"): names.queue,
            names.variable("DLQ_NAME"): names.dead_letter_queue,
        },
        **({"ARCHIVE_NAME": names.archive} if names.archive else {}),
    )
    text = route_template(settings, template, archive_days=archive_days, kind=names.kind)
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.mark.parametrize("template", RouteTemplate)
def test_the_route_of_failed_events_is_never_archived(template: RouteTemplate) -> None:
    assert printed(FAILED, template, 30) == printed(FAILED, template, None)


def queues(route: Route, queue: str, dead_letters: str) -> list[tuple[str, str, dict[str, Any]]]:
    """List for each queue its key in the file, its name and its attributes."""
    return [
        (queue, route.names.queue, typed(route.queue_attributes)),
        (dead_letters, route.names.dead_letter_queue, typed(route.dead_letter_queue_attributes)),
    ]


def typed(attributes: Any) -> dict[str, Any]:
    """Parse the attributes that SQS takes as texts."""
    return {
        name: value if name == "KmsMasterKeyId" else json.loads(value) for name, value in attributes.items()
    }


def in_cloudformation(template: dict[str, Any]) -> dict[str, Any]:
    """Evaluate the properties of the resources in China, with the default of each parameter."""
    values = {name: each["Default"] for name, each in template.get("Parameters", {}).items()} | {
        "AWS::Partition": "aws-cn",
        "AWS::Region": "cn-north-1",
        "AWS::AccountId": "123456789012",
        "AWS::NoValue": None,
    }

    def read(value: Any) -> Any:
        match value:
            case {"Ref": name}:
                return values.get(name, name)  # the name of another resource stays
            case {"Fn::Sub": text}:
                return re.sub(r"\$\{([\w:]+)\}", lambda found: values[found[1]], text)
            case {"Fn::If": [condition, one, other]}:
                return read(one if read(template["Conditions"][condition]) else other)
            case {"Fn::Equals": [one, other]}:
                return read(one) == read(other)
            case {"Fn::Not": [condition]}:
                return not read(condition)
        return read_each(value, read)

    return {
        name: read(resource["Properties"])
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or read(template["Conditions"][resource["Condition"]])
    }


ARGUMENTS = {
    "VisibilityTimeout": "visibility_timeout_seconds",
    "MessageRetentionPeriod": "message_retention_seconds",
    "MaximumMessageSize": "max_message_size",
    "RedrivePolicy": "redrive_policy",
    "SqsManagedSseEnabled": "sqs_managed_sse_enabled",
    "KmsMasterKeyId": "kms_master_key_id",
}


def in_terraform(configuration: dict[str, Any]) -> dict[str, Any]:
    """Evaluate the arguments of the resources in China, with the default of each variable."""
    given = {name: each["default"] for name, each in configuration["variable"].items()}
    bus = given["eventbridge_bus_name"]
    values = {f"var.{name}": value for name, value in given.items()} | {
        "data.aws_partition.current.partition": "aws-cn",
        "data.aws_region.current.id": "cn-north-1",
        "data.aws_caller_identity.current.account_id": "123456789012",
        'var.eventbridge_bus_name == "default" ? "" : format("%s/", var.eventbridge_bus_name)': (
            "" if bus == "default" else f"{bus}/"
        ),
        "var.archive_days == null ? 0 : 1": 0 if given["archive_days"] is None else 1,
        "var.queue_kms_key == null ? true : null": given["queue_kms_key"] is None or None,
        "substr(var.rule_name, 0, 32)": given["rule_name"][:32],
        "substr(var.queue_name, 0, 64)": given["queue_name"][:64],
    }

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return read_each(value, read)
        if expression := re.fullmatch(r"\$\{([^{}]+)\}", value):
            return values.get(expression[1], value)  # a reference to another resource stays
        return re.sub(r"\$\{([^{}]+)\}", lambda found: values[found[1]], value)

    for name, local in configuration["locals"].items():  # each uses earlier ones alone
        values[f"local.{name}"] = values[f"jsonencode(local.{name})"] = known = read(local)
        if name.endswith("_statements"):
            values[f"slice(local.{name}, 0, 1 + local.archives)"] = known[: 1 + values["local.archives"]]
    resources: dict[str, Any] = read(configuration["resource"])
    return resources


def read_each(value: Any, read: Callable[[Any], Any]) -> Any:
    """Read each value of a document, and leave out those that are None."""
    if isinstance(value, dict):
        return {name: found for name, each in value.items() if (found := read(each)) is not None}
    if isinstance(value, list):
        return [found for each in value if (found := read(each)) is not None]
    return value
