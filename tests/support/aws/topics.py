"""Publishers to a topic for tests, and a queue behind it to read events back."""

import json
import time
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from adapters.aws.sns.publisher import SnsPublisher
from adapters.aws.sns.topic import TopicAddress
from adapters.aws.trace_header import TRACEPARENT
from domain.model.events.envelope import read_envelope
from domain.model.events.event import DEFAULT_EVENT_SOURCE
from domain.model.events.kinds import EventKind, read_kind
from tests.contracts.event_port import Arrival
from tests.support.aws.event_bridges import ARRIVAL_SECONDS, PATIENT, REGION
from tests.support.harness.ports import free_port

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient
    from types_boto3_sts import STSClient

ACCOUNT = "123456789012"
KIB_256 = 2**18


class KnownAccount:
    """STS that names an account, and counts how often it was asked."""

    def __init__(self, account: str = ACCOUNT) -> None:
        self._account = account
        self.asked = 0

    def get_caller_identity(self) -> dict[str, str]:
        self.asked += 1
        return {"Account": self._account}


def sns_client_of(url: str, config: Config = PATIENT) -> "SNSClient":
    """Create a client of the endpoint `url`."""
    return boto3.client(
        "sns",
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret-of-the-tests",
        config=config,
    )


def address_of(topic: str, sts: "STSClient | KnownAccount | None" = None) -> TopicAddress:
    """Create the address of a topic, in an account that is known or that `sts` names."""
    client: Any = sts or KnownAccount()
    return TopicAddress(client, partition="aws", region=REGION, name=topic)


def sns_publisher(
    client: "SNSClient", topic: TopicAddress, *, max_bytes: int = KIB_256, source: str = DEFAULT_EVENT_SOURCE
) -> SnsPublisher:
    """Create a publisher as the service does."""
    return SnsPublisher(client, topic=topic, source=source, max_bytes=max_bytes)


def unreachable_sns_publisher() -> SnsPublisher:
    """Create a publisher to a closed port."""
    return sns_publisher(sns_client_of(f"http://127.0.0.1:{free_port()}"), address_of("transcripts"))


class QueueBehindTopic:
    """A queue that receives the published events through a subscription, as a consumer's does."""

    def __init__(
        self, sns: "SNSClient", sqs: "SQSClient", *, topic: str, queue: str, raw: bool = True
    ) -> None:
        self._sqs = sqs
        self.url = sqs.create_queue(QueueName=queue)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]
        sns.subscribe(
            TopicArn=sns.create_topic(Name=topic)["TopicArn"],
            Protocol="sqs",
            Endpoint=arn["QueueArn"],
            Attributes={"RawMessageDelivery": str(raw).lower()},
        )
        self.traceparents: list[str | None] = []

    def arrivals(self, count: int) -> list[Arrival]:
        """Receive up to `count` events, oldest first; fewer where no more arrive in time."""
        arrived: list[Arrival] = []
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while len(arrived) < count and time.monotonic() < deadline:
            messages = self._sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            arrived += [_arrival(message["Body"]) for message in messages]
            for message in messages:
                named = message.get("MessageAttributes", {})
                self.traceparents.append(named[TRACEPARENT]["StringValue"] if TRACEPARENT in named else None)
        return arrived


def _arrival(body: str) -> Arrival:
    envelope: Any = read_envelope(body)
    return Arrival(
        read_kind(json.dumps(envelope["detail"]), EventKind.COMPLETED), tuple(envelope["resources"])
    )
