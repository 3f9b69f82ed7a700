"""Definition of the route of a topic: the attributes of topic, subscription and queues."""

import json
from dataclasses import dataclass

from adapters.aws.policy.evaluation import SNS, Json
from adapters.aws.route.queue_pair import QueuePair, admission
from domain.model.route.route import RouteNames

FILTER_SCOPE = "MessageAttributes"
"""Scope of a filter policy that looks at the attributes beside the message, SNS's default."""


@dataclass(frozen=True, slots=True)
class TopicRoute(QueuePair):
    """The route of a topic as it should be; all its ARNs derive from the ARN of the topic."""

    @property
    def topic_arn(self) -> str:
        """ARN of the topic."""
        return self.feed_arn

    def statements(self, arn: str) -> list[Json]:
        """Allow SNS alone to send, and only for this topic."""
        return [admission("SnsMaySendForThisTopic", arn, SNS, self.topic_arn)]

    @property
    def topic_attributes(self) -> dict[str, str]:
        """Attributes of the topic: messages that wait in it are encrypted with the key of the queues."""
        return {"KmsMasterKeyId": self.key} if self.key else {}

    @property
    def subscription_attributes(self) -> dict[str, str]:
        """Attributes of the queue's subscription: events of one kind, as they are, and the dead-letter queue.

        The scope comes first: SNS reads a filter policy by the scope that is set.
        """
        return {
            "FilterPolicyScope": FILTER_SCOPE,
            "FilterPolicy": filter_policy(self.names),
            "RawMessageDelivery": "true",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": self.dead_letter_queue_arn}),
        }


def topic_arn(beside: str, names: RouteNames) -> str:
    """Build the topic's ARN in the account and region of another ARN."""
    _, partition, _, region, account, _ = beside.split(":", 5)
    return f"arn:{partition}:sns:{region}:{account}:{names.topic}"


def filter_policy(names: RouteNames) -> str:
    """Return the filter policy as JSON; its keys are message attributes of our publisher."""
    return json.dumps({"source": [names.source], "detail-type": [names.kind.detail_type]})
