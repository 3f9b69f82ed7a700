"""The topic of the route, and the subscription of its queue."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from adapters.aws.policy.evaluation import canonical
from adapters.aws.policy.statements import NOTHING
from adapters.aws.route.drift import key_name
from adapters.aws.route.resource import ManagedResource, retry_transient
from domain.model.route.route import Drift, RouteComponent

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient
    from types_boto3_sns.type_defs import SubscriptionTypeDef

    from adapters.aws.route.topic_definition import TopicRoute

PENDING = "PendingConfirmation"
"""The ARN of a subscription that its endpoint has not confirmed, and the attribute that says so."""

REMOVED = "Deleted"
"""The ARN under which SNS lists a removed subscription for a while."""

QUEUES = "sqs"
"""Protocol of subscriptions of queues."""


class FoundSubscription(NamedTuple):
    """A subscription as SNS describes it."""

    arn: str
    attributes: Mapping[str, str]

    @property
    def is_pending(self) -> bool:
        """True until the endpoint has confirmed; SNS sends it no event before."""
        return self.arn == PENDING or self.attributes.get(PENDING) == "true"


class RouteTopic(ManagedResource[Mapping[str, str]]):
    """The topic, which is the same for the routes of all kinds of events."""

    def __init__(self, sns: "SNSClient", route: "TopicRoute", pause: Callable[[float], None]) -> None:
        super().__init__(RouteComponent.TOPIC, route.names.topic, f"the topic {route.names.topic}", pause)
        self._sns = sns
        self._arn = route.topic_arn
        self._queue_arn = route.queue_arn
        self._wanted = route.topic_attributes

    def find(self) -> Mapping[str, str] | None:
        """Read the attributes of the topic."""
        try:
            return self._sns.get_topic_attributes(TopicArn=self._arn)["Attributes"]
        except self._sns.exceptions.NotFoundException:
            return None

    def create(self) -> bool:
        """Create the topic; creating the same topic twice at once makes one topic."""
        retry_transient(lambda: self._sns.create_topic(Name=self.name, Attributes=self._wanted), self._pause)
        return True

    def differences(self, found: Mapping[str, str]) -> Iterable[Drift]:
        """Compare the key; a key that is not wanted is no difference: encryption is never weakened."""
        for name, key in self._wanted.items():
            found_key = found.get(name) or NOTHING
            if key_name(found_key) != key_name(key):
                yield Drift(name, key, found_key)

    def apply(
        self,
        found: Mapping[str, str],  # noqa: ARG002 - attributes are set one by one
        differences: Sequence[Drift],
    ) -> None:
        """Set the attributes that differ."""
        for name in (difference.attribute for difference in differences):
            self._sns.set_topic_attributes(
                TopicArn=self._arn, AttributeName=name, AttributeValue=self._wanted[name]
            )

    def delete(self, found: Mapping[str, str]) -> str:  # noqa: ARG002 - topics are deleted by their ARN
        """Delete the topic, unless others have subscribed to it."""
        others = [
            each["Endpoint"]
            for each in subscriptions(self._sns, self._arn)
            if each["Endpoint"] != self._queue_arn
        ]
        if others:
            return f"{len(others)} more are subscribed to it, such as {others[0]}"
        retry_transient(lambda: self._sns.delete_topic(TopicArn=self._arn), self._pause)
        return ""


class QueueSubscription(ManagedResource[FoundSubscription]):
    """The subscription by which the queue gets the events of one kind."""

    def __init__(self, sns: "SNSClient", route: "TopicRoute", pause: Callable[[float], None]) -> None:
        title = f"the subscription of the queue {route.names.queue} to the topic {route.names.topic}"
        super().__init__(RouteComponent.SUBSCRIPTION, route.names.queue, title, pause)
        self._sns = sns
        self._topic_arn = route.topic_arn
        self._queue_arn = route.queue_arn
        self._wanted = route.subscription_attributes

    def find(self) -> FoundSubscription | None:
        """Find the queue's subscription among those of the topic."""
        try:
            return subscription_of(self._sns, self._topic_arn, self._queue_arn)
        except self._sns.exceptions.NotFoundException:
            return None

    def create(self) -> bool:
        """Subscribe the queue with all attributes in one call; the same call twice makes one subscription."""
        self._sns.subscribe(
            TopicArn=self._topic_arn,
            Protocol=QUEUES,
            Endpoint=self._queue_arn,
            Attributes=self._wanted,
            ReturnSubscriptionArn=True,
        )
        return True

    def differences(self, found: FoundSubscription) -> Iterable[Drift]:
        """Compare confirmation, filter policy, raw delivery and dead-letter queue."""
        if found.is_pending:
            yield Drift(PENDING, "false", "true")
            return
        yield from _differences(self._wanted, found.attributes)

    def apply(self, found: FoundSubscription, differences: Sequence[Drift]) -> None:
        """Set the attributes that differ; subscribe again where the confirmation is missing."""
        if found.is_pending:
            self.create()
            return
        drifted = {difference.attribute for difference in differences}
        for name, value in self._wanted.items():
            if name in drifted:
                self._sns.set_subscription_attributes(
                    SubscriptionArn=found.arn, AttributeName=name, AttributeValue=value
                )

    def delete(self, found: FoundSubscription) -> str:
        """Unsubscribe the queue; SNS itself removes a subscription that is never confirmed."""
        if found.arn == PENDING:
            return "it is not confirmed, and SNS removes it after two days"
        self._sns.unsubscribe(SubscriptionArn=found.arn)
        return ""

    def state_of(self, found: FoundSubscription) -> str:
        """Say that a subscription is not confirmed."""
        return "not confirmed" if found.is_pending else ""


def subscriptions(sns: "SNSClient", topic_arn: str) -> "Iterator[SubscriptionTypeDef]":
    """List the subscriptions of the topic, without removed ones."""
    for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn):
        for each in page.get("Subscriptions", ()):
            if each["SubscriptionArn"] != REMOVED:
                yield each


def subscription_of(sns: "SNSClient", topic_arn: str, queue_arn: str) -> FoundSubscription | None:
    """Find the subscription of a queue, with its attributes where they can be read."""
    for each in subscriptions(sns, topic_arn):
        if (each["Protocol"], each["Endpoint"]) == (QUEUES, queue_arn):
            arn = each["SubscriptionArn"]
            if arn == PENDING:
                return FoundSubscription(arn, {})
            return FoundSubscription(arn, sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"])
    return None


def _differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Drift]:
    """Compare values that are JSON by their meaning; a scope that is not named is SNS's default."""
    found = {"FilterPolicyScope": wanted["FilterPolicyScope"], **found}
    for name, value in wanted.items():
        if _meaning(found.get(name)) != _meaning(value):
            yield Drift(name, value, found.get(name) or NOTHING)


def _meaning(value: str | None) -> str | None:
    try:
        return canonical(json.loads(value or "null"))
    except ValueError:
        return value
