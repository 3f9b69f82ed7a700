"""Statements that the policies of several roles share."""

from collections.abc import Iterator, Sequence

from adapters.aws.iam.resources import Condition, PolicyResources
from adapters.aws.route.definition import Route

Statement = dict[str, object]

VERSION = "2012-10-17"
NO_CONDITION: Condition = {}
EVERYTHING = "*"
"""Resource of the few actions that AWS cannot restrict to a resource."""


def document(*statements: Statement) -> dict[str, object]:
    """Build a policy from the statements."""
    return {"Version": VERSION, "Statement": list(statements)}


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], condition: Condition = NO_CONDITION
) -> Statement:
    """Build a statement that allows each of the actions on each of the resources."""
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": list(resources),
    }
    return {**statement, "Condition": condition} if condition else statement


def publishing(on: PolicyResources, sid: str) -> Statement:
    """Allow our events alone; EventBridge checks each entry of a call (`NotAuthorizedForSource…`)."""
    types = [route.names.kind.detail_type for route in on.routes]
    condition: Condition = {
        "ForAllValues:StringEquals": {
            "events:source": on.names.source,
            "events:detail-type": types if len(types) > 1 else types[0],
        }
    }
    return allow(sid, ["events:PutEvents"], [on.bus], condition)


def targeting(route: Route, sid: str, rules: str) -> Statement:
    """Allow the route's queue as the only target of these rules, so that events cannot be sent elsewhere."""
    condition: Condition = {"ForAllValues:ArnEquals": {"events:TargetArn": route.queue_arn}}
    return allow(sid, ["events:PutTargets"], [rules], condition)


def using_the_key(on: PolicyResources, sid: str, *actions: str, service: str = "sqs") -> Iterator[Statement]:
    """Allow the service's use of the queues' key for senders and receivers; no statement without a key."""
    if (key := on.key_resource) is not None:
        via: Condition = {"StringLike": {"kms:ViaService": f"{service}.{on.region}.amazonaws.com*"}}
        yield allow(sid, actions, [key.arn], {**via, **key.condition})


def reading_the_key(on: PolicyResources) -> Iterator[Statement]:
    """Allow reading the key's policy, which the diagnosis needs; no statement without a key."""
    if (key := on.key_resource) is not None:
        actions = ["kms:DescribeKey", "kms:GetKeyPolicy"]
        yield allow("ReadThePolicyOfTheKey", actions, [key.arn], key.condition)
