"""The route as a CloudFormation template, in JSON."""

import json
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

IN_CLOUDFORMATION = {
    PARTITION: "${AWS::Partition}",
    REGION: "${AWS::Region}",
    ACCOUNT: "${AWS::AccountId}",
}


def cloudformation(wanted: WantedRoute) -> str:
    """A template that creates the whole route."""
    route, names, archive_days = wanted.anywhere, wanted.names, wanted.archive_days
    resources = {
        "DeadLetterQueue": _queue(names.dead_letter_queue, route.dead_letter_queue_attributes),
        "DeadLetterQueuePolicy": _policy("DeadLetterQueue", route.dead_letter_queue_attributes),
        "Queue": {**_queue(names.queue, route.queue_attributes), "DependsOn": "DeadLetterQueue"},
        "QueuePolicy": _policy("Queue", route.queue_attributes),
        "Rule": _rule(route),
    }
    if archive_days is not None:
        resources["Archive"] = _archive(route, archive_days)
    outputs = {
        "QueueUrl": {"Value": {"Ref": "Queue"}},
        "DeadLetterQueueUrl": {"Value": {"Ref": "DeadLetterQueue"}},
        "RuleArn": {"Value": {"Fn::GetAtt": ["Rule", "Arn"]}},
    }
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The route of BatchProcessingCompleted events: rule, queue, dead-letter queue",
        "Resources": resources,
        "Outputs": outputs,
    }
    return json.dumps(filled_in(template, _substituted), indent=2)


def _queue(name: str, attributes: "QueueAttributes") -> Json:
    properties: Json = {name: typed(name, value) for name, value in attributes.items() if name != "Policy"}
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name, **properties}}


def _policy(queue: str, attributes: "QueueAttributes") -> Json:
    document = json.loads(attributes["Policy"])
    properties = {"Queues": [{"Ref": queue}], "PolicyDocument": document}
    return {"Type": "AWS::SQS::QueuePolicy", "Properties": properties}


def _rule(route: Route) -> Json:
    properties = {
        "Name": route.names.rule,
        "EventBusName": route.names.bus,
        "EventPattern": wanted_events(route.names),
        "State": "ENABLED",
        "Targets": [route.target],
    }
    return {
        "Type": "AWS::Events::Rule",
        "Properties": properties,
        "DependsOn": ["QueuePolicy", "DeadLetterQueuePolicy"],  # or events that are early are refused
    }


def _archive(route: Route, days: int) -> Json:
    properties = {
        "ArchiveName": route.names.archive,
        "SourceArn": route.bus_arn,
        "EventPattern": wanted_events(route.names),
        "RetentionDays": days,
    }
    return {"Type": "AWS::Events::Archive", "Properties": properties}


def _substituted(text: str) -> object:
    filled = replaced(text, IN_CLOUDFORMATION)
    return text if filled == text else {"Fn::Sub": filled}
