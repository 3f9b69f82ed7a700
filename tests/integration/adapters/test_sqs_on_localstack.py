"""SQS as a queue, on LocalStack."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.aws.sqs.queue import SqsQueue
from ports.queue_port import QueuePort
from tests.contracts.queue_port import QueuePortContract, Send
from tests.integration.conftest import Names
from tests.support.aws.sqs_queues import create_pair, sender


class TestSqsQueueOnLocalStack(QueuePortContract):
    @pytest.fixture
    def url(self, aws: Callable[..., Any], names: Names) -> str:
        return create_pair(aws("sqs"), names.queue, names.dlq)

    @pytest.fixture
    def queue(self, aws: Callable[..., Any], names: Names, url: str) -> QueuePort:
        assert url
        return SqsQueue(aws("sqs"), name=names.queue)

    @pytest.fixture
    def dead_letters(self, aws: Callable[..., Any], names: Names, url: str) -> QueuePort:
        assert url
        return SqsQueue(aws("sqs"), name=names.dlq)

    @pytest.fixture
    def send(self, aws: Callable[..., Any], url: str) -> Send:
        return sender(aws("sqs"), url)
