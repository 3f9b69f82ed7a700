"""What the route looks like on AWS: its ARNs, and what each part is created with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.aws.policy.evaluation import EVENTBRIDGE
from domain.model.events.event import BatchProcessingCompleted
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
"""How much of the rule's name a replay's name begins with: 64 characters are all that either may have."""

CHANGES_TO_EVENTS = ("Input", "InputPath", "InputTransformer")
"""What a target may do to an event on its way; consumers expect it whole."""


@dataclass(frozen=True, slots=True)
class Route:
    """The route as it is wanted. The bus's ARN, known before all else, has what the others need.

    Attributes:
        key: the KMS key that encrypts both queues; None for SQS's own encryption.
        replays: whether rules of replays may send to the queues as well.
    """

    names: RouteNames
    bus_arn: str
    key: str | None = None
    replays: bool = False

    @property
    def queue_arn(self) -> str:
        """Where the rule sends."""
        return queue_arn_beside(self.bus_arn, self.names)

    @property
    def dead_letter_queue_arn(self) -> str:
        """Where both the queue and EventBridge give up."""
        return f"{self.queue_arn.rpartition(':')[0]}:{self.names.dead_letter_queue}"

    @property
    def rule_arn(self) -> str:
        """The rule's ARN, known before it exists: the queues' policies, which come first, name it."""
        return rule_arn(self.bus_arn, self.names)

    @property
    def replay_rules_arn(self) -> str:
        """Every rule that a replay of one tenant makes for itself."""
        return self.rule_arn.removesuffix(self.names.rule) + replay_prefix(self.names) + "*"

    @property
    def queue_attributes(self) -> "QueueAttributes":
        """What the queue is created with (requirements 5 and 13)."""
        redrive = {"deadLetterTargetArn": self.dead_letter_queue_arn, "maxReceiveCount": MAX_RECEIVES}
        return {
            "VisibilityTimeout": str(VISIBILITY_SECONDS),
            "RedrivePolicy": json.dumps(redrive),
            **self._attributes_of_both(self.queue_arn),
        }

    @property
    def dead_letter_queue_attributes(self) -> "QueueAttributes":
        """What the dead-letter queue is created with (requirement 15.2)."""
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
        """EventBridge, and nobody else, may send, and only for this rule (requirements 5.6 and 13.2)."""
        admitted = [_admission("EventBridgeMaySendForThisRule", arn, self.rule_arn)]
        return [*admitted, self.replay_statement(arn)] if self.replays else admitted

    def replay_statement(self, arn: str) -> Mapping[str, object]:
        """For the rules that a replay of one tenant makes for itself, told by their names."""
        return _admission("EventBridgeMaySendForReplays", arn, self.replay_rules_arn)

    @property
    def target(self) -> "TargetTypeDef":
        """Where a rule of ours sends, for how long it tries, and where it gives up.

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
    """The ARN of a rule in the account and region of another ARN; one of the default bus does not name it."""
    _, partition, _, region, account, _ = beside.split(":", 5)
    path = names.rule if names.bus == DEFAULT_BUS else f"{names.bus}/{names.rule}"
    return f"arn:{partition}:events:{region}:{account}:rule/{path}"


def queue_arn_beside(beside: str, names: RouteNames) -> str:
    """The queue's ARN in the account and region of another ARN."""
    _, partition, _, region, account, _ = beside.split(":", 5)
    return f"arn:{partition}:sqs:{region}:{account}:{names.queue}"


def event_pattern(names: RouteNames) -> str:
    """Which events the rule takes, and the archive keeps (requirements 6.2 and 6.3)."""
    return json.dumps(wanted_events(names))


def wanted_events(names: RouteNames) -> dict[str, object]:
    """The same, as a value."""
    return {"source": [names.source], "detail-type": [BatchProcessingCompleted.DETAIL_TYPE]}


def replay_prefix(names: RouteNames) -> str:
    """How the names of our replays begin, and of the rules that some of them need."""
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
