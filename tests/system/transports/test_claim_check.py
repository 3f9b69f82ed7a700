"""Events that are too large for a broker go by reference, as on EventBridge."""

import pytest

from adapters.in_memory.payloads import InMemoryPayloadStore
from domain.model.events.event import BatchProcessingCompletedV2, Publication
from domain.services.claim_check import ClaimCheck, restore_payload
from tests.support.brokers.places import EventPlace, arrivals
from tests.support.samples.factories import an_event
from tests.system.transports.conftest import NewPublisher

pytestmark = pytest.mark.process


@pytest.mark.parametrize("transport", ["nats", "rabbitmq", "kafka"])
def test_a_large_event_goes_by_reference(
    transport: str, request: pytest.FixtureRequest, new_publisher: NewPublisher
) -> None:
    place: EventPlace = request.getfixturevalue(f"{transport}_place")
    payloads = InMemoryPayloadStore()
    port = ClaimCheck(new_publisher(transport, **place.environ), payloads)
    large = an_event(raw_transcript="x" * 2_000_000)

    (outcome,) = port.publish_all([large])

    assert isinstance(outcome, Publication)
    (arrival,) = arrivals(place.bodies(1))
    assert isinstance(arrival.event, BatchProcessingCompletedV2)
    assert restore_payload(arrival.event, payloads) == large
