"""What the route looks like on AWS, and how far an existing part is from that."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.aws.policies import EVENTBRIDGE, canonical, statements
from domain.model.events import BatchProcessingCompleted
from domain.model.infrastructure import (
    MAX_MESSAGE_BYTES,
    MAX_RECEIVES,
    RETENTION_SECONDS,
    VISIBILITY_SECONDS,
    Difference,
    RouteNames,
)

if TYPE_CHECKING:
    from types_boto3_events.type_defs import DescribeRuleResponseTypeDef, TargetOutputTypeDef
    from types_boto3_sqs.literals import QueueAttributeNameType

DEFAULT_BUS = "default"
MAX_TARGET_ID = 64
NOTHING = "none"

CHANGES_TO_EVENTS = ("Input", "InputPath", "InputTransformer")
"""What a target may do to an event on its way; consumers expect it whole."""


@dataclass(frozen=True, slots=True)
class Route:
    """The route as it is wanted. The dead-letter queue's ARN tells what all other ARNs have in common."""

    names: RouteNames
    dead_letter_queue_arn: str

    @property
    def queue_arn(self) -> str:
        """The queue's ARN, known before it exists."""
        return f"{self.dead_letter_queue_arn.rpartition(':')[0]}:{self.names.queue}"

    @property
    def rule_arn(self) -> str:
        """The rule's ARN, known before it exists: the queue's policy, which comes first, names it."""
        return rule_arn(self.queue_arn, self.names)

    @property
    def queue_attributes(self) -> "dict[QueueAttributeNameType, str]":
        """What the queue is created with (requirements 5 and 13)."""
        redrive = {"deadLetterTargetArn": self.dead_letter_queue_arn, "maxReceiveCount": MAX_RECEIVES}
        return {
            "VisibilityTimeout": str(VISIBILITY_SECONDS),
            "MessageRetentionPeriod": str(RETENTION_SECONDS),
            "MaximumMessageSize": str(MAX_MESSAGE_BYTES),
            "RedrivePolicy": json.dumps(redrive),
            "Policy": json.dumps(self.queue_policy),
        }

    @property
    def queue_policy(self) -> dict[str, object]:
        """EventBridge, and nobody else, may send, and only for this rule (requirements 5.6 and 13.2)."""
        statement = {
            "Sid": "EventBridgeMaySendForThisRule",
            "Effect": "Allow",
            "Principal": {"Service": EVENTBRIDGE},
            "Action": "sqs:SendMessage",
            "Resource": self.queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.rule_arn}},
        }
        return {"Version": "2012-10-17", "Statement": [statement]}


def dead_letter_queue_attributes() -> "dict[QueueAttributeNameType, str]":
    """What the dead-letter queue is created with (requirement 15.2)."""
    return {"MessageRetentionPeriod": str(RETENTION_SECONDS), "MaximumMessageSize": str(MAX_MESSAGE_BYTES)}


def rule_arn(queue_arn: str, names: RouteNames) -> str:
    """The ARN of a rule in the queue's account and region; a rule of the default bus does not name it."""
    _, partition, _, region, account, _ = queue_arn.split(":")
    path = names.rule if names.bus == DEFAULT_BUS else f"{names.bus}/{names.rule}"
    return f"arn:{partition}:events:{region}:{account}:rule/{path}"


def queue_arn_beside(rule: str, names: RouteNames) -> str:
    """The queue's ARN in the account and region of a rule."""
    _, partition, _, region, account, _ = rule.split(":", 5)
    return f"arn:{partition}:sqs:{region}:{account}:{names.queue}"


def event_pattern(names: RouteNames) -> str:
    """Which events the rule takes (requirements 6.2 and 6.3)."""
    return json.dumps({"source": [names.source], "detail-type": [BatchProcessingCompleted.DETAIL_TYPE]})


def target_id(names: RouteNames) -> str:
    """The queue's name: an ARN has characters that an id may not have. The target's `Arn` is the queue's."""
    return names.queue[:MAX_TARGET_ID]


def queue_differences(
    wanted: "dict[QueueAttributeNameType, str]", found: Mapping[str, str]
) -> Iterator[Difference]:
    """Each attribute that is not as wanted; policies are compared by meaning, statement by statement."""
    for name, value in wanted.items():
        if name == "Policy":
            yield from _policy_differences(value, found.get(name, ""))
        elif name == "RedrivePolicy":
            yield from _redrive_differences(json.loads(value), found.get(name))
        elif found.get(name) != value:
            yield Difference(name, value, found.get(name, NOTHING))


def rule_differences(pattern: str, found: "DescribeRuleResponseTypeDef") -> Iterator[Difference]:
    """Pattern, by meaning, and state."""
    found_pattern = found.get("EventPattern", "null")
    if canonical(json.loads(found_pattern)) != canonical(json.loads(pattern)):
        yield Difference("EventPattern", pattern, found_pattern)
    if found["State"] != "ENABLED":
        yield Difference("State", "ENABLED", found["State"])


def target_differences(arn: str, found: "TargetOutputTypeDef") -> Iterator[Difference]:
    """Where the target sends to, and what it does to events."""
    if found["Arn"] != arn:
        yield Difference("Arn", arn, found["Arn"])
    for name in CHANGES_TO_EVENTS:
        if found.get(name):
            yield Difference(name, NOTHING, json.dumps(found.get(name)))


def _policy_differences(wanted: str, found: str) -> Iterator[Difference]:
    wanted_statements = {canonical(statement) for statement in statements(wanted)}
    found_statements = {canonical(statement) for statement in statements(found)}
    for statement in sorted(wanted_statements - found_statements):
        yield Difference("Policy", statement, "not among its statements" if found else NOTHING)
    for statement in sorted(found_statements - wanted_statements):
        yield Difference("Policy", "no further statement", statement)


def _redrive_differences(wanted: Mapping[str, object], found: str | None) -> Iterator[Difference]:
    """SQS gives numbers back as numbers or as strings, as they were set."""
    found_policy = json.loads(found) if found else {}
    for name, value in wanted.items():
        if str(found_policy.get(name)) != str(value):
            yield Difference(f"RedrivePolicy.{name}", str(value), str(found_policy.get(name, NOTHING)))
