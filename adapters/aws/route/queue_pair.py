"""Definition of the queue and its dead-letter queue, by what feeds them."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.aws.policy.evaluation import Json
from domain.model.route.route import (
    MAX_MESSAGE_BYTES,
    MAX_RECEIVES,
    RETENTION_SECONDS,
    VISIBILITY_SECONDS,
    RouteNames,
)

if TYPE_CHECKING:
    from types_boto3_sqs.literals import QueueAttributeNameType

    QueueAttributes = dict[QueueAttributeNameType, str]


@dataclass(frozen=True, slots=True)
class QueuePair(ABC):
    """The two queues of a route as they should be; their ARNs derive from the ARN of what feeds them."""

    names: RouteNames
    feed_arn: str  # of the bus, or of the topic, in the queues' account and region
    key: str | None = None  # the KMS key that encrypts both queues; None for SQS's own encryption

    @abstractmethod
    def statements(self, arn: str) -> Sequence[Json]:
        """Return the statements of a queue's policy, which admit the feed alone."""

    def tolerated(self, arn: str) -> Sequence[Json]:  # noqa: ARG002 - a route with replays has one
        """Return statements that the policy may have as well."""
        return ()

    @property
    def queue_arn(self) -> str:
        """ARN of the queue."""
        return queue_arn_beside(self.feed_arn, self.names)

    @property
    def dead_letter_queue_arn(self) -> str:
        """ARN of the dead-letter queue of both the queue and its feed."""
        return f"{self.queue_arn.rpartition(':')[0]}:{self.names.dead_letter_queue}"

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
            "Policy": json.dumps({"Version": "2012-10-17", "Statement": list(self.statements(arn))}),
            **encryption,
        }


def queue_arn_beside(beside: str, names: RouteNames) -> str:
    """Build the queue's ARN in the account and region of another ARN."""
    _, partition, _, region, account, _ = beside.split(":", 5)
    return f"arn:{partition}:sqs:{region}:{account}:{names.queue}"


def admission(sid: str, queue_arn: str, service: str, sources: str) -> Json:
    """Build the statement that lets a service send to a queue for one of its resources, or for a pattern."""
    operator = "ArnLike" if sources.endswith("*") else "ArnEquals"
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {operator: {"aws:SourceArn": sources}},
    }
