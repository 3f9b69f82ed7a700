"""Statements of IAM policies for a topic of SNS, in the place of bus, rule and target.

The actions on a subscription cannot be restricted to a resource (Service Authorization Reference).
"""

from collections.abc import Iterator

from adapters.aws.iam.resources import Condition, PolicyResources
from adapters.aws.iam.statements import EVERYTHING, Statement, allow, using_the_key
from adapters.aws.route.topic import QUEUES

READING = ("sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic")


def publishing_to_the_topic(on: PolicyResources, sid: str) -> Iterator[Statement]:
    """Allow messages, and SNS's use of the key of an encrypted topic for their sender."""
    yield allow(sid, ["sns:Publish"], [on.topic])
    yield from using_the_key(on, f"{sid}WithTheKey", "kms:Decrypt", "kms:GenerateDataKey", service="sns")


def guarding_the_topic(on: PolicyResources) -> Iterator[Statement]:
    """Allow the route check."""
    yield allow("RouteGuardReadsTheTopic", READING, [on.topic])
    yield allow("RouteGuardReadsSubscriptions", ["sns:GetSubscriptionAttributes"], [EVERYTHING])


def reading_the_topic(on: PolicyResources) -> Iterator[Statement]:
    """Allow `status` and `verify`, and the ages of messages."""
    yield allow("ReadTheTopic", READING, [on.topic])
    unconfined = ["sns:GetSubscriptionAttributes", "cloudwatch:GetMetricData"]
    yield allow("ReadWithoutResourceTypes", unconfined, [EVERYTHING])


def managing_the_topic(on: PolicyResources) -> Iterator[Statement]:
    """Allow the topic, and subscriptions of our queues alone."""
    changing = ["sns:SetTopicAttributes"] if on.key else []
    yield allow("ManageTheTopic", ["sns:CreateTopic", "sns:DeleteTopic", *changing], [on.topic])
    condition: Condition = {"StringEquals": {"sns:Protocol": QUEUES, "sns:Endpoint": on.queues}}
    yield allow("SubscribeTheQueues", ["sns:Subscribe"], [on.topic], condition)
    actions = ["sns:SetSubscriptionAttributes", "sns:Unsubscribe"]
    yield allow("ManageSubscriptions", actions, [EVERYTHING])
