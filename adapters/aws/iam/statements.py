"""Statements that several roles' policies have in common."""

from collections.abc import Iterator, Sequence

from adapters.aws.iam.resources import Condition, PolicyResources
from domain.model.events.event import BatchProcessingCompleted

Statement = dict[str, object]

VERSION = "2012-10-17"
NO_CONDITION: Condition = {}
EVERYTHING = "*"
"""For the few actions that AWS lets nobody confine to a resource."""


def document(*statements: Statement) -> dict[str, object]:
    """A policy of these statements."""
    return {"Version": VERSION, "Statement": list(statements)}


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], condition: Condition = NO_CONDITION
) -> Statement:
    """A statement that allows each of the actions on each of the resources, and has no one too many."""
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": list(resources),
    }
    return {**statement, "Condition": condition} if condition else statement


def publishing(on: PolicyResources, sid: str) -> Statement:
    """Our events and no others. EventBridge asks for each entry of a call (`NotAuthorizedForSource…`)."""
    condition: Condition = {
        "ForAllValues:StringEquals": {
            "events:source": on.names.source,
            "events:detail-type": BatchProcessingCompleted.DETAIL_TYPE,
        }
    }
    return allow(sid, ["events:PutEvents"], [on.bus], condition)


def targeting(on: PolicyResources, sid: str, rules: str) -> Statement:
    """Targets for these rules, of which each is our queue: events can be led nowhere else."""
    condition: Condition = {"ForAllValues:ArnEquals": {"events:TargetArn": on.route.queue_arn}}
    return allow(sid, ["events:PutTargets"], [rules], condition)


def using_the_key(on: PolicyResources, sid: str, *actions: str) -> Iterator[Statement]:
    """What SQS does with the queues' key for those who send and receive; nothing where there is none."""
    if (key := on.key_resource) is not None:
        via: Condition = {"StringLike": {"kms:ViaService": f"sqs.{on.region}.amazonaws.com*"}}
        yield allow(sid, actions, [key.arn], {**via, **key.condition})


def reading_the_key(on: PolicyResources) -> Iterator[Statement]:
    """For whoever says whether the key's policy lets EventBridge in; nothing where there is no key."""
    if (key := on.key_resource) is not None:
        actions = ["kms:DescribeKey", "kms:GetKeyPolicy"]
        yield allow("ReadThePolicyOfTheKey", actions, [key.arn], key.condition)
