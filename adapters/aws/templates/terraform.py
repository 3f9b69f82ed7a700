"""The route as a Terraform configuration, in Terraform's JSON syntax (files `*.tf.json`)."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from adapters.aws.route.definition import Route, wanted_events
from adapters.aws.templates.templates import (
    ACCOUNT,
    PARTITION,
    REGION,
    Json,
    WantedRoute,
    filled_in,
    replaced,
    typed,
)

if TYPE_CHECKING:
    from adapters.aws.route.definition import QueueAttributes

PROVIDER = ">= 6.9.0"
"""Earlier ones refuse a queue that takes messages of 1 MiB."""

IN_TERRAFORM = {
    PARTITION: "${data.aws_partition.current.partition}",
    REGION: "${data.aws_region.current.id}",
    ACCOUNT: "${data.aws_caller_identity.current.account_id}",
}


def terraform(wanted: WantedRoute) -> str:
    """A configuration that creates the whole route."""
    route, names, archive_days = wanted.anywhere, wanted.names, wanted.archive_days
    resources: Json = {
        "aws_sqs_queue": {
            "dead_letters": _queue(names.dead_letter_queue, route.dead_letter_queue_attributes),
            "transcripts": {
                **_queue(names.queue, route.queue_attributes),
                "depends_on": ["aws_sqs_queue.dead_letters"],
            },
        },
        "aws_sqs_queue_policy": {
            "dead_letters": _policy("dead_letters", route.dead_letter_queue_attributes),
            "transcripts": _policy("transcripts", route.queue_attributes),
        },
        "aws_cloudwatch_event_rule": {"transcripts": _rule(route)},
        "aws_cloudwatch_event_target": {"transcripts": _target(route)},
    }
    if archive_days is not None:
        resources["aws_cloudwatch_event_archive"] = {"transcripts": _archive(route, archive_days)}
    configuration = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": PROVIDER}}},
        "data": {
            "aws_partition": {"current": {}},
            "aws_region": {"current": {}},
            "aws_caller_identity": {"current": {}},
        },
        "resource": resources,
        "output": {
            "queue_url": {"value": "${aws_sqs_queue.transcripts.url}"},
            "dead_letter_queue_url": {"value": "${aws_sqs_queue.dead_letters.url}"},
            "rule_arn": {"value": "${aws_cloudwatch_event_rule.transcripts.arn}"},
        },
    }
    return json.dumps(filled_in(configuration, _interpolated), indent=2)


_ARGUMENTS: Mapping[str, str] = {
    "VisibilityTimeout": "visibility_timeout_seconds",
    "MessageRetentionPeriod": "message_retention_seconds",
    "MaximumMessageSize": "max_message_size",
    "RedrivePolicy": "redrive_policy",
    "SqsManagedSseEnabled": "sqs_managed_sse_enabled",
    "KmsMasterKeyId": "kms_master_key_id",
}


def _queue(name: str, attributes: "QueueAttributes") -> Json:
    arguments = {
        _ARGUMENTS[each]: value if each == "RedrivePolicy" else typed(each, value)
        for each, value in attributes.items()
        if each != "Policy"
    }
    return {"name": name, **arguments}


def _policy(queue: str, attributes: "QueueAttributes") -> Json:
    return {"queue_url": f"${{aws_sqs_queue.{queue}.id}}", "policy": attributes["Policy"]}


def _rule(route: Route) -> Json:
    return {
        "name": route.names.rule,
        "event_bus_name": route.names.bus,
        "event_pattern": json.dumps(wanted_events(route.names)),
        "state": "ENABLED",
    }


def _target(route: Route) -> Json:
    target = route.target
    retries = target["RetryPolicy"]
    return {
        "rule": "${aws_cloudwatch_event_rule.transcripts.name}",
        "event_bus_name": route.names.bus,
        "target_id": target["Id"],
        "arn": target["Arn"],
        "dead_letter_config": {"arn": target["DeadLetterConfig"]["Arn"]},
        "retry_policy": {
            "maximum_event_age_in_seconds": retries["MaximumEventAgeInSeconds"],
            "maximum_retry_attempts": retries["MaximumRetryAttempts"],
        },
        "depends_on": ["aws_sqs_queue_policy.transcripts", "aws_sqs_queue_policy.dead_letters"],
    }


def _archive(route: Route, days: int) -> Json:
    return {
        "name": route.names.archive,
        "event_source_arn": route.bus_arn,
        "event_pattern": json.dumps(wanted_events(route.names)),
        "retention_days": days,
    }


def _interpolated(text: str) -> str:
    return replaced(text, IN_TERRAFORM)
