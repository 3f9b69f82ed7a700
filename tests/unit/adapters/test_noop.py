import logging

import pytest

from adapters.noop import NoOpEventPublisher
from domain.model.events.event import PublicationStatus
from tests.contracts.event_port import Delivery, EventPortContract, Transport
from tests.support.samples.factories import an_event


class TestNoOpEventPublisher(EventPortContract):
    @pytest.fixture
    def transport(self) -> Transport:
        port = NoOpEventPublisher("a test")
        return Transport(port, lambda _count: [], Delivery(keeps_events=False, has_bus=False))


def test_switching_publishing_off_is_said_once_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    port = NoOpEventPublisher("no AWS credentials were found")
    for _ in range(3):
        assert port.publish(an_event()).status is PublicationStatus.DISABLED

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "event publishing is disabled"
    assert vars(record)["reason"] == "no AWS credentials were found"
