"""Queues on SQS to bind the queue's contract to, whichever SQS answers."""

import json
from collections.abc import Callable
from typing import Any

from botocore.stub import Stubber

from adapters.aws.sqs.queue import SqsQueue

TRACE_HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
ATTRIBUTES = {
    "text": {"DataType": "String.note", "StringValue": "hällo"},
    "number": {"DataType": "Number", "StringValue": "7"},
    "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
}


def create_pair(sqs: Any, name: str, dead_letter_name: str, **attributes: str) -> str:
    """A queue, its dead-letter queue after three receives, and the queue's URL."""
    dead_letter_url = sqs.create_queue(QueueName=dead_letter_name)["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=dead_letter_url, AttributeNames=["QueueArn"])
    redrive = {"deadLetterTargetArn": answer["Attributes"]["QueueArn"], "maxReceiveCount": 3}
    created = sqs.create_queue(
        QueueName=name, Attributes={"RedrivePolicy": json.dumps(redrive), **attributes}
    )
    url: str = created["QueueUrl"]
    return url


def sender(sqs: Any, url: str, *, traced: bool = True) -> Callable[[str], None]:
    """Sends a body with message attributes, and with a trace header where batches keep it (not on moto)."""
    header = {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE_HEADER}} if traced else {}

    def send(body: str) -> None:
        sqs.send_message(
            QueueUrl=url,
            MessageBody=body,
            MessageAttributes=ATTRIBUTES,
            MessageSystemAttributes=header,
        )

    return send


def receive_stubbed(queue: SqsQueue, stubber: Stubber, *bodies: str) -> Any:
    """Receive messages with these bodies from a stubbed queue."""
    messages = [
        {
            "MessageId": body,
            "ReceiptHandle": body,
            "Body": body,
            "Attributes": {"ApproximateReceiveCount": "1"},
        }
        for body in bodies
    ]
    stubber.add_response("receive_message", {"Messages": messages})
    return queue.receive(10, visibility_timeout=10)
