"""Publishers for tests: at any address, and with a queue behind a rule to read events back."""

import json
import time
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from adapters.aws.eventbridge.publisher import EventBridgePublisher
from domain.model.events.event import DEFAULT_EVENT_SOURCE, BatchProcessingCompleted
from domain.model.events.kinds import EventKind, read_kind
from tests.contracts.event_port import Arrival
from tests.support.harness.ports import free_port

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_sqs import SQSClient

REGION = "us-east-1"
IMPATIENT = Config(connect_timeout=5, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1})
"""Configuration for a response that never comes: one attempt and a short timeout."""

PATIENT = IMPATIENT.merge(Config(read_timeout=60))
"""Configuration with timeouts that are long enough for a busy machine."""

ARRIVAL_SECONDS = 60


def client_of(url: str, config: Config = PATIENT) -> "EventBridgeClient":
    """Create a client of the endpoint `url`."""
    return boto3.client(
        "events",
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret-of-the-tests",
        config=config,
    )


def publisher(client: "EventBridgeClient", bus_name: str = "default") -> EventBridgePublisher:
    """Create a publisher as the service does."""
    return EventBridgePublisher(client, bus_name=bus_name, source=DEFAULT_EVENT_SOURCE, region=REGION)


def unreachable_publisher() -> EventBridgePublisher:
    """Create a publisher to a closed port."""
    return publisher(client_of(f"http://127.0.0.1:{free_port()}"))


class QueueBehindRule:
    """A queue that receives the published events through a rule, as a consumer's does."""

    def __init__(self, events: "EventBridgeClient", sqs: "SQSClient", *, bus: str, queue: str) -> None:
        self._sqs = sqs
        self.url = sqs.create_queue(QueueName=queue)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]
        pattern = {"source": [DEFAULT_EVENT_SOURCE], "detail-type": [BatchProcessingCompleted.DETAIL_TYPE]}
        events.create_event_bus(Name=bus)
        events.put_rule(Name=queue, EventBusName=bus, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=queue, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}])

    def arrivals(self, count: int) -> list[Arrival]:
        """Receive up to `count` events, oldest first; fewer where no more arrive in time."""
        arrived: list[Arrival] = []
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while len(arrived) < count and time.monotonic() < deadline:
            messages = self._sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1
            ).get("Messages", [])
            arrived += [_arrival(json.loads(message["Body"])) for message in messages]
        return arrived


def _arrival(envelope: dict[str, Any]) -> Arrival:
    detail = json.dumps(envelope["detail"])
    return Arrival(read_kind(detail, EventKind.COMPLETED), tuple(envelope["resources"]))
