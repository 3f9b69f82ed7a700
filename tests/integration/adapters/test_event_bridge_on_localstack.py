from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts.event_port import Delivery, EventPortContract, Transport
from tests.integration.conftest import Names
from tests.support.aws.event_bridges import QueueBehindRule, publisher, unreachable_publisher


class TestEventBridgePublisherOnLocalStack(EventPortContract):
    @pytest.fixture
    def transport(self, aws: Callable[..., Any], names: Names) -> Transport:
        events = aws("events")
        queue = QueueBehindRule(events, aws("sqs"), bus=names.bus, queue=names.queue)
        return Transport(
            publisher(events, names.bus),
            queue.arrivals,
            Delivery(cannot_carry=frozenset({"a day of talk"})),  # LocalStack takes 256 KiB
            to_unknown_bus=publisher(events, f"{names.bus}-nowhere"),
            unreachable=unreachable_publisher(),
        )
