"""A route of a topic on AWS or an emulator, with methods that break each of its components."""

import json
from functools import cache
from typing import Any, NamedTuple

import boto3

from adapters.aws.infrastructure.topics import SnsEventInfrastructure
from adapters.aws.sns.publisher import SnsPublisher
from adapters.aws.sqs.queue import SqsQueue
from domain.model.route.route import RouteNames
from tests.support.aws.routes import moto_clients
from tests.support.aws.topics import KIB_256, address_of


class TopicClients(NamedTuple):
    """Clients of the services that a route of a topic uses."""

    sns: Any
    sqs: Any
    kms: Any
    cloudwatch: Any
    sts: Any


@cache
def moto_topic_clients() -> TopicClients:
    """Return clients for `mock_aws`, cached because creating them is slow; they hold no state."""
    session: Any = boto3.Session(region_name="us-east-1", aws_access_key_id="id", aws_secret_access_key="key")
    others = moto_clients()
    sqs = type(others.sqs)(session.client("sqs"))
    return TopicClients(session.client("sns"), sqs, *map(session.client, ("kms", "cloudwatch", "sts")))


class TopicRouteOnAws:
    """A route of a topic, with methods that change its resources directly."""

    def __init__(self, clients: TopicClients, names: RouteNames, *, key: str | None = None) -> None:
        self.clients = clients
        self.names = names
        self.address = address_of(names.topic, clients.sts)
        sns, sqs, kms, cloudwatch, _ = clients
        self.infrastructure = SnsEventInfrastructure(
            sns, sqs, kms, cloudwatch, self.address, names, key=key, pause=lambda _: None
        )

    @property
    def publisher(self) -> SnsPublisher:
        return SnsPublisher(self.clients.sns, topic=self.address, source=self.names.source, max_bytes=KIB_256)

    @property
    def queue(self) -> SqsQueue:
        return SqsQueue(self.clients.sqs, name=self.names.queue)

    @property
    def dead_letters(self) -> SqsQueue:
        return SqsQueue(self.clients.sqs, name=self.names.dead_letter_queue)

    def queue_attributes(self, queue: str | None = None) -> dict[str, str]:
        url = self.clients.sqs.get_queue_url(QueueName=queue or self.names.queue)["QueueUrl"]
        found: dict[str, str] = self.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
            "Attributes"
        ]
        return found

    def set_queue_attributes(self, **attributes: str) -> None:
        url = self.clients.sqs.get_queue_url(QueueName=self.names.queue)["QueueUrl"]
        self.clients.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)

    def send(self, body: str) -> None:
        url = self.clients.sqs.get_queue_url(QueueName=self.names.queue)["QueueUrl"]
        self.clients.sqs.send_message(QueueUrl=url, MessageBody=body)

    def topic_attributes(self) -> dict[str, str]:
        found: dict[str, str] = self.clients.sns.get_topic_attributes(TopicArn=self.address.arn)["Attributes"]
        return found

    def subscriptions(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.clients.sns.list_subscriptions_by_topic(TopicArn=self.address.arn)[
            "Subscriptions"
        ]
        return found

    def subscription_arn(self) -> str:
        (arn,) = (
            each["SubscriptionArn"]
            for each in self.subscriptions()
            if each["Endpoint"].endswith(f":{self.names.queue}")
        )
        return arn

    def subscription(self) -> dict[str, Any]:
        """Return the attributes of the queue's subscription, with JSON read."""
        found = self.clients.sns.get_subscription_attributes(SubscriptionArn=self.subscription_arn())
        read = {"FilterPolicy", "RedrivePolicy"}
        return {
            name: json.loads(value) if name in read else value for name, value in found["Attributes"].items()
        }

    def set_subscription(self, **attributes: str) -> None:
        for name, value in attributes.items():
            self.clients.sns.set_subscription_attributes(
                SubscriptionArn=self.subscription_arn(), AttributeName=name, AttributeValue=value
            )

    def subscribe_another(self, endpoint: str = "another-team") -> str:
        """Subscribe another queue to the topic; return its ARN."""
        arn = self.queue_attributes()["QueueArn"].rpartition(":")[0] + f":{endpoint}"
        self.clients.sns.subscribe(TopicArn=self.address.arn, Protocol="sqs", Endpoint=arn)
        return arn

    def unsubscribe(self) -> None:
        self.clients.sns.unsubscribe(SubscriptionArn=self.subscription_arn())

    def delete_topic(self) -> None:
        self.clients.sns.delete_topic(TopicArn=self.address.arn)
