"""A queue on a stubbed client of SQS."""

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from adapters.aws.sqs.queue import SqsQueue
from tests.support.aws.routes import moto_clients


@pytest.fixture
def stubbed() -> Iterator[tuple[SqsQueue, Stubber]]:
    """A queue whose SQS returns the responses of the test."""
    client = moto_clients().sqs
    with Stubber(client) as stubber:
        stubber.add_response("get_queue_url", {"QueueUrl": "https://sqs/orders"})
        yield SqsQueue(client, name="orders"), stubber
