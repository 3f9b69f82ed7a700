import logging
from threading import Barrier
from uuid import UUID

import pytest

from adapters.in_memory import InMemoryEventPublisher, InMemoryPayloadStore
from domain.model.errors import (
    EventBusUnavailableError,
    EventRejectedError,
    EventTooLargeError,
    PayloadStoreError,
)
from domain.model.events.event import (
    BatchProcessingCompleted,
    BatchProcessingCompletedV2,
    TranscriptData,
    TranscriptRef,
)
from domain.model.events.sent import SentEvent
from domain.services.claim_check import ClaimCheck, restore_payload
from ports.event_port import MAX_BATCH, PublishOutcome
from ports.payload_store_port import PayloadStorePort
from tests.contracts.event_port import Arrival, Delivery, EventPortContract, Transport
from tests.support.doubles.delivery import ACCEPTED, AnsweringEventPublisher
from tests.support.samples.factories import a_failure, a_referring_event, an_erasure, an_event

LIMIT = 1_000


class TestClaimCheck(EventPortContract):
    @pytest.fixture
    def transport(self) -> Transport:
        far_end = InMemoryEventPublisher()

        def arrivals(_count: int) -> list[Arrival]:
            return [Arrival(*pair) for pair in zip(far_end.accepted, far_end.labels, strict=True)]

        return Transport(ClaimCheck(far_end, None), arrivals, Delivery(has_bus=False))


class BrokenPayloadStore(PayloadStorePort):
    def store(self, event: BatchProcessingCompleted, /) -> TranscriptRef:  # noqa: ARG002 - nothing is kept
        raise PayloadStoreError("the transcripts were not stored: SlowDown")

    def get(self, ref: TranscriptRef, /) -> bytes:  # noqa: ARG002 - same
        raise PayloadStoreError("the transcripts were not read: SlowDown")

    def erase(self, tenant_id: UUID, interaction_id: UUID, /) -> int:  # noqa: ARG002 - same
        raise PayloadStoreError("the transcripts were not erased: SlowDown")


class BatchesOf(InMemoryEventPublisher):
    """Transport that takes more events in a call than others."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    @property
    def batch_size(self) -> int:
        return self._size


class TogetherPayloadStore(InMemoryPayloadStore):
    """Store that answers once so many transcripts are being stored."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._all = Barrier(count)

    def store(self, event: BatchProcessingCompleted, /) -> TranscriptRef:
        self._all.wait(60)
        return super().store(event)


def sized(event: SentEvent) -> PublishOutcome:
    size = len(event.to_json())
    return EventTooLargeError(f"the event has {size} bytes") if size > LIMIT else ACCEPTED


def a_large_event() -> BatchProcessingCompleted:
    return an_event(raw_transcript="um " * LIMIT, cleaned_transcript="Ah. " * LIMIT)


def test_what_is_too_large_is_stored_and_sent_as_version_2() -> None:
    bus, payloads, event = AnsweringEventPublisher(sized), InMemoryPayloadStore(), a_large_event()

    assert ClaimCheck(bus, payloads).publish(event) == ACCEPTED

    (sent,) = bus.accepted
    assert isinstance(sent, BatchProcessingCompletedV2)
    ref = sent.data.transcript_ref
    assert sent == BatchProcessingCompletedV2.referring(event, ref)
    assert TranscriptData.model_validate_json(payloads.get(ref) or b"") == event.data


def test_what_fits_is_sent_as_version_1_and_stored_nowhere() -> None:
    bus, event = AnsweringEventPublisher(sized), an_event()

    ClaimCheck(bus, BrokenPayloadStore()).publish(event)

    assert bus.accepted == [event]


def test_each_of_several_goes_its_own_way_and_the_order_of_outcomes_stays() -> None:
    bus = AnsweringEventPublisher(
        lambda event: EventRejectedError("malformed") if event.user_id == "mallory" else sized(event)
    )
    events = [an_event(), a_large_event(), an_event(user_id="mallory"), an_event()]

    outcomes = ClaimCheck(bus, InMemoryPayloadStore()).publish_all(events)

    assert [type(outcome) for outcome in outcomes] == [
        type(ACCEPTED),
        type(ACCEPTED),
        EventRejectedError,
        type(ACCEPTED),
    ]
    assert set(bus.accepted_ids) == {
        events[0].interaction_id,
        events[1].interaction_id,
        events[3].interaction_id,
    }


def test_the_transcripts_are_stored_before_the_event_that_refers_to_them() -> None:
    payloads = InMemoryPayloadStore()

    def fetched(event: SentEvent) -> PublishOutcome:
        if isinstance(event, BatchProcessingCompletedV2):
            assert payloads.get(event.data.transcript_ref)
        return sized(event)

    assert ClaimCheck(AnsweringEventPublisher(fetched), payloads).publish(a_large_event()) == ACCEPTED


def test_a_call_may_hold_no_more_events_than_it_can_store_at_once() -> None:
    many = BatchesOf(100)

    assert ClaimCheck(many, None).batch_size == 100
    assert ClaimCheck(many, InMemoryPayloadStore()).batch_size == MAX_BATCH


def test_the_transcripts_of_a_call_are_stored_at_the_same_time() -> None:
    events = [a_large_event() for _ in range(MAX_BATCH)]
    together = TogetherPayloadStore(len(events))

    outcomes = ClaimCheck(AnsweringEventPublisher(sized), together).publish_all(events)

    assert list(outcomes) == [ACCEPTED] * len(events)


def test_without_a_store_the_message_says_what_to_do_and_nothing_is_cut() -> None:
    bus = AnsweringEventPublisher(sized)

    with pytest.raises(EventTooLargeError, match="set PAYLOAD_BUCKET and retry"):
        ClaimCheck(bus, None).publish(a_large_event())
    assert bus.accepted == []


def test_a_store_that_fails_may_be_tried_again_and_nothing_is_sent() -> None:
    bus = AnsweringEventPublisher(sized)

    with pytest.raises(EventBusUnavailableError, match="SlowDown"):
        ClaimCheck(bus, BrokenPayloadStore()).publish(a_large_event())
    assert len(bus.calls) == 1


def test_a_bus_that_fails_the_second_time_may_be_tried_again() -> None:
    away = EventBusUnavailableError("away")
    bus = AnsweringEventPublisher(
        lambda event: away if isinstance(event, BatchProcessingCompletedV2) else sized(event)
    )

    with pytest.raises(EventBusUnavailableError, match="away"):
        ClaimCheck(bus, InMemoryPayloadStore()).publish(a_large_event())


def test_a_bus_that_finds_even_the_reference_too_large_is_not_asked_for_ever() -> None:
    bus = AnsweringEventPublisher(lambda _: EventTooLargeError("too large"))

    for event in (a_large_event(), a_referring_event()):
        with pytest.raises(EventTooLargeError):
            ClaimCheck(bus, InMemoryPayloadStore()).publish(event)
    assert len(bus.calls) == 3


def test_labels_travel_beside_the_reference_too() -> None:
    bus = AnsweringEventPublisher(sized)

    ClaimCheck(bus, InMemoryPayloadStore()).publish(a_large_event(), labels=("urn:a",))

    assert bus.labels == [("urn:a",)] * 2


def test_the_log_tells_the_size_and_no_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    event = an_event(raw_transcript="a secret plan " * LIMIT)

    ClaimCheck(AnsweringEventPublisher(sized), InMemoryPayloadStore()).publish(event)

    (record,) = caplog.records
    assert vars(record)["size"] > LIMIT
    assert vars(record)["interaction_id"] == str(event.interaction_id)
    assert "secret" not in str(vars(record))


# All by reference


class TestEveryEventByReference(EventPortContract):
    @pytest.fixture
    def transport(self) -> Transport:
        far_end, payloads = InMemoryEventPublisher(), InMemoryPayloadStore()

        def arrivals(_count: int) -> list[Arrival]:
            return [
                Arrival(_restored(event, payloads), labels)
                for event, labels in zip(far_end.accepted, far_end.labels, strict=True)
            ]

        return Transport(ClaimCheck(far_end, payloads, always=True), arrivals, Delivery(has_bus=False))


def _restored(event: SentEvent, payloads: PayloadStorePort) -> SentEvent:
    """Return the event that was handed in; one of the suite's own references leads to another bucket."""
    if not isinstance(event, BatchProcessingCompletedV2):
        return event
    is_ours = event.data.transcript_ref.bucket == InMemoryPayloadStore.BUCKET
    return (restore_payload(event, payloads) if is_ours else None) or event


class SometimesBrokenPayloadStore(InMemoryPayloadStore):
    """Fails for the user `mallory`."""

    def store(self, event: BatchProcessingCompleted, /) -> TranscriptRef:
        if event.user_id == "mallory":
            raise PayloadStoreError("the transcripts were not stored: SlowDown")
        return super().store(event)


def test_by_reference_no_text_reaches_the_bus_and_other_events_go_as_they_are() -> None:
    bus, payloads = AnsweringEventPublisher(lambda _: ACCEPTED), InMemoryPayloadStore()
    events: list[SentEvent] = [an_event(), a_failure(), a_referring_event(), an_erasure(), an_event()]

    assert ClaimCheck(bus, payloads, always=True).publish_all(events) == (ACCEPTED,) * 5

    assert len(bus.calls) == 1
    assert [type(event) for event in bus.accepted] == [
        BatchProcessingCompletedV2,
        type(events[1]),
        BatchProcessingCompletedV2,
        type(events[3]),
        BatchProcessingCompletedV2,
    ]
    assert bus.accepted[1:4] == events[1:4]
    restored = bus.accepted[4]
    assert isinstance(restored, BatchProcessingCompletedV2)
    assert restore_payload(restored, payloads) == events[4]


def test_by_reference_an_event_whose_texts_are_not_stored_waits_and_the_others_are_sent() -> None:
    bus = AnsweringEventPublisher(
        lambda event: EventRejectedError("malformed") if event.user_id == "eve" else ACCEPTED
    )
    events = [an_event(user_id=user) for user in ("alice", "mallory", "eve", "bob")]

    outcomes = ClaimCheck(bus, SometimesBrokenPayloadStore(), always=True).publish_all(
        events, traceparents=("a", "b", "c", "d")
    )

    assert [type(outcome) for outcome in outcomes] == [
        type(ACCEPTED),
        EventBusUnavailableError,
        EventRejectedError,
        type(ACCEPTED),
    ]
    assert "SlowDown" in str(outcomes[1])
    assert [event.user_id for event in bus.accepted] == ["alice", "bob"]


def test_by_reference_the_texts_are_stored_before_the_event_is_sent() -> None:
    payloads = InMemoryPayloadStore()

    def fetched(event: SentEvent) -> PublishOutcome:
        assert isinstance(event, BatchProcessingCompletedV2)
        assert payloads.get(event.data.transcript_ref)
        return ACCEPTED

    events = [an_event() for _ in range(10)]

    assert ClaimCheck(AnsweringEventPublisher(fetched), payloads, always=True).publish_all(events) == (
        (ACCEPTED,) * 10
    )
