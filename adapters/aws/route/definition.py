"""Definition of the route of a bus: its ARNs, and the attributes of each resource."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.aws.policy.evaluation import EVENTBRIDGE, Json
from adapters.aws.route.queue_pair import QueuePair, admission
from domain.model.route.route import DELIVERY_ATTEMPTS, DELIVERY_SECONDS, RouteNames

if TYPE_CHECKING:
    from types_boto3_events.type_defs import TargetTypeDef

DEFAULT_BUS = "default"
MAX_TARGET_ID = 64
MAX_REPLAY_STEM = 32
"""Characters of the rule's name at the start of a replay's name; either may have 64 at most."""

CHANGES_TO_EVENTS = ("Input", "InputPath", "InputTransformer")
"""Settings by which a target changes events; consumers expect the whole event."""


@dataclass(frozen=True, slots=True)
class Route(QueuePair):
    """The route of a bus as it should be; all its ARNs derive from the ARN of the bus."""

    replays: bool = False  # whether rules of replays may send to the queues as well

    @property
    def bus_arn(self) -> str:
        """ARN of the bus."""
        return self.feed_arn

    @property
    def rule_arn(self) -> str:
        """ARN of the rule, needed before the rule exists: the queues' policies name it."""
        return rule_arn(self.bus_arn, self.names)

    @property
    def replay_rules_arn(self) -> str:
        """ARN pattern of the rules that replays of one tenant create."""
        return self.rule_arn.removesuffix(self.names.rule) + replay_prefix(self.names) + "*"

    def statements(self, arn: str) -> list[Json]:
        """Allow EventBridge alone to send, and only for this rule (requirements 5.6 and 13.2)."""
        admitted = [admission("EventBridgeMaySendForThisRule", arn, EVENTBRIDGE, self.rule_arn)]
        return [*admitted, self.replay_statement(arn)] if self.replays else admitted

    def tolerated(self, arn: str) -> list[Json]:
        """Tolerate the statement for replays, also where no archive is configured."""
        return [self.replay_statement(arn)]

    def replay_statement(self, arn: str) -> Json:
        """Allow EventBridge to send for the rules of replays, matched by their names."""
        return admission("EventBridgeMaySendForReplays", arn, EVENTBRIDGE, self.replay_rules_arn)

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


def event_pattern(names: RouteNames) -> str:
    """Return the event pattern of rule and archive as JSON (requirements 6.2 and 6.3)."""
    return json.dumps(wanted_events(names))


def wanted_events(names: RouteNames) -> dict[str, object]:
    """Return the same event pattern as a value."""
    return {"source": [names.source], "detail-type": [names.kind.detail_type]}


def replay_prefix(names: RouteNames) -> str:
    """Return the prefix of the names of our replays and their rules."""
    return f"{names.rule[:MAX_REPLAY_STEM]}-replay-"
