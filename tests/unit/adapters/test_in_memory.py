import pytest

from adapters.in_memory import InMemoryEventPublisher, InMemoryPayloadStore, InMemoryProcessedEvents
from tests.contracts.deduplication_port import DeduplicationPortContract, Memory
from tests.contracts.event_port import Arrival, Delivery, EventPortContract, Transport
from tests.contracts.payload_store_port import PayloadStorePortContract, Store
from tests.support.databases.databases import Clock
from tests.support.samples.factories import an_event


class TestInMemoryEventPublisher(EventPortContract):
    @pytest.fixture
    def transport(self) -> Transport:
        port = InMemoryEventPublisher()

        def arrivals(_count: int) -> list[Arrival]:
            return [Arrival(*pair) for pair in zip(port.accepted, port.labels, strict=True)]

        return Transport(
            port, arrivals, Delivery(has_bus=False), traceparents=lambda: list(port.traceparents)
        )


class TestInMemoryPayloadStore(PayloadStorePortContract):
    @pytest.fixture
    def store(self) -> Store:
        port = InMemoryPayloadStore()
        return Store(port, lambda ref: port.get(ref) or b"")


class TestInMemoryProcessedEvents(DeduplicationPortContract):
    @pytest.fixture
    def memory(self) -> Memory:
        clock = Clock()
        return Memory(InMemoryProcessedEvents(clock), clock, InMemoryProcessedEvents(clock))


def test_events_are_kept_in_the_order_of_acceptance() -> None:
    port, events = InMemoryEventPublisher(), tuple(an_event() for _ in range(5))

    for event in events:
        port.publish(event)

    assert port.published == events


def test_two_publishers_share_nothing() -> None:
    InMemoryEventPublisher().publish(an_event())

    assert InMemoryEventPublisher().published == ()


def test_an_event_that_cannot_be_serialised_fails_here_as_on_a_bus() -> None:
    broken = an_event().model_copy(update={"data": object()})

    with pytest.raises(Exception, match="serializ"):
        InMemoryEventPublisher().publish(broken)
