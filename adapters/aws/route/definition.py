"""Definition of the route on AWS: its ARNs, and the attributes of each resource."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.aws.policy.evaluation import EVENTBRIDGE
from domain.model.route.route import (
    DELIVERY_ATTEMPTS,
    DELIVERY_SECONDS,
    MAX_MESSAGE_BYTES,
    MAX_RECEIVES,
    RETENTION_SECONDS,
    VISIBILITY_SECONDS,
    RouteNames,
)

if TYPE_CHECKING:
    from types_boto3_events.type_defs import TargetTypeDef
    from types_boto3_sqs.literals import QueueAttributeNameType

    QueueAttributes = dict[QueueAttributeNameType, str]

DEFAULT_BUS = "default"
MAX_TARGET_ID = 64
MAX_REPLAY_STEM = 32
"""Characters of the rule's name at the start of a replay's name; either may have 64 at most."""

CHANGES_TO_EVENTS = ("Input", "InputPath", "InputTransformer")
"""Settings by which a target changes events; consumers expect the whole event."""


@dataclass(frozen=True, slots=True)
class Route:
    """The route as it should be; all its ARNs derive from the ARN of the bus."""

    names: RouteNames
    bus_arn: str
    key: str | None = None  # the KMS key that encrypts both queues; None for SQS's own encryption
    replays: bool = False  # whether rules of replays may send to the queues as well

    @property
    def queue_arn(self) -> str:
        """ARN of the queue, the rule's target."""
        return queue_arn_beside(self.bus_arn, self.names)

    @property
    def dead_letter_queue_arn(self) -> str:
        """ARN of the dead-letter queue of both the queue and the target."""
        return f"{self.queue_arn.rpartition(':')[0]}:{self.names.dead_letter_queue}"

    @property
    def rule_arn(self) -> str:
        """ARN of the rule, needed before the rule exists: the queues' policies name it."""
        return rule_arn(self.bus_arn, self.names)

    @property
    def replay_rules_arn(self) -> str:
        """ARN pattern of the rules that replays of one tenant create."""
        return self.rule_arn.removesuffix(self.names.rule) + replay_prefix(self.names) + "*"

    @property
    def queue_attributes(self) -> "QueueAttributes":
        """Attributes of the queue (requirements 5 and 13)."""
        redrive = {"deadLetterTargetArn": self.dead_letter_queue_arn, "maxReceiveCount": MAX_RECEIVES}
        return {
            "VisibilityTimeout": str(VISIBILITY_SECONDS),
            "RedrivePolicy": json.dumps(redrive),
            **self._attributes_of_both(self.queue_arn),
        }

    @property
    def dead_letter_queue_attributes(self) -> "QueueAttributes":
        """Attributes of the dead-letter queue (requirement 15.2)."""
        return self._attributes_of_both(self.dead_letter_queue_arn)

    def _attributes_of_both(self, arn: str) -> "QueueAttributes":
        encryption: QueueAttributes = (
            {"KmsMasterKeyId": self.key} if self.key else {"SqsManagedSseEnabled": "true"}
        )
        return {
            "MessageRetentionPeriod": str(RETENTION_SECONDS),
            "MaximumMessageSize": str(MAX_MESSAGE_BYTES),
            "Policy": json.dumps({"Version": "2012-10-17", "Statement": self._statements(arn)}),
            **encryption,
        }

    def _statements(self, arn: str) -> list[Mapping[str, object]]:
        """Allow EventBridge alone to send, and only for this rule (requirements 5.6 and 13.2)."""
        admitted = [_admission("EventBridgeMaySendForThisRule", arn, self.rule_arn)]
        return [*admitted, self.replay_statement(arn)] if self.replays else admitted

    def replay_statement(self, arn: str) -> Mapping[str, object]:
        """Allow EventBridge to send for the rules of replays, matched by their names."""
        return _admission("EventBridgeMaySendForReplays", arn, self.replay_rules_arn)

    @property
    def target(self) -> "TargetTypeDef":
        """Target of the route's rules: the queue, with retry limits and dead-letter queue.

        The target's `Arn` is the queue's (requirement 6.6). Its id is the queue's name: an ARN has characters
        that an id may not have.
        """
        return {
            "Id": self.names.queue[:MAX_TARGET_ID],
            "Arn": self.queue_arn,
            "DeadLetterConfig": {"Arn": self.dead_letter_queue_arn},
            "RetryPolicy": {
                "MaximumEventAgeInSeconds": DELIVERY_SECONDS,
                "MaximumRetryAttempts": DELIVERY_ATTEMPTS,
            },
        }


def rule_arn(beside: str, names: RouteNames) -> str:
    """Build the rule's ARN in the account and region of another ARN; the default bus is not named in it."""
    _, partition, _, region, account, _ = beside.split(":", 5)
    path = names.rule if names.bus == DEFAULT_BUS else f"{names.bus}/{names.rule}"
    return f"arn:{partition}:events:{region}:{account}:rule/{path}"


def queue_arn_beside(beside: str, names: RouteNames) -> str:
    """Build the queue's ARN in the account and region of another ARN."""
    _, partition, _, region, account, _ = beside.split(":", 5)
    return f"arn:{partition}:sqs:{region}:{account}:{names.queue}"


def event_pattern(names: RouteNames) -> str:
    """Return the event pattern of rule and archive as JSON (requirements 6.2 and 6.3)."""
    return json.dumps(wanted_events(names))


def wanted_events(names: RouteNames) -> dict[str, object]:
    """Return the same event pattern as a value."""
    return {"source": [names.source], "detail-type": [names.kind.detail_type]}


def replay_prefix(names: RouteNames) -> str:
    """Return the prefix of the names of our replays and their rules."""
    return f"{names.rule[:MAX_REPLAY_STEM]}-replay-"


def _admission(sid: str, queue_arn: str, rules: str) -> Mapping[str, object]:
    operator = "ArnLike" if rules.endswith("*") else "ArnEquals"
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": EVENTBRIDGE},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {operator: {"aws:SourceArn": rules}},
    }
