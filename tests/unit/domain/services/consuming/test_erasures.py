"""Transcripts and their erasures in one group of consumers: no handler gets what was erased."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.model.consuming.lease import EventKey, LeaseStatus
from domain.model.errors import PayloadStoreError, ProcessedEventsUnavailableError
from domain.model.events.event import BatchProcessingCompleted, BatchProcessingCompletedV2
from domain.model.events.kinds import EventKind
from domain.model.events.sent import SentEvent
from domain.services.consuming.consumer import ERASURE_DAYS, Consumer
from domain.services.consuming.options import ConsumerOptions
from tests.support.harness.consumer import ConsumerHarness, SteeredHandler
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import a_failure, an_erasure, an_event

MARKER = "a phrase of the recording"


@pytest.fixture
def transcripts() -> ConsumerHarness:
    return ConsumerHarness()


@pytest.fixture
def erasures(transcripts: ConsumerHarness) -> ConsumerHarness:
    return transcripts.of_kind(EventKind.ERASED)


def erased(event: SentEvent) -> SentEvent:
    return an_erasure(interaction_id=event.interaction_id, tenant_id=event.tenant_id)


def inline(event: BatchProcessingCompleted, _harness: ConsumerHarness) -> SentEvent:
    return event


def raising(error: Exception) -> Callable[..., object]:
    def fail(*_: object) -> object:
        raise error

    return fail


def by_reference(event: BatchProcessingCompleted, harness: ConsumerHarness) -> SentEvent:
    return BatchProcessingCompletedV2.referring(event, harness.payloads.store(event))


@pytest.mark.parametrize("form", [inline, by_reference])
@pytest.mark.parametrize("replay", [None, "after-the-outage"])
def test_a_transcript_that_arrives_after_its_erasure_reaches_no_handler(
    transcripts: ConsumerHarness,
    erasures: ConsumerHarness,
    form: Callable[[BatchProcessingCompleted, ConsumerHarness], SentEvent],
    replay: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    event, other = an_event(raw_transcript=MARKER), an_event()
    erasures.send(erased(event))
    erasures.steps(2)

    transcripts.send(form(event, transcripts), replay)
    transcripts.send(other)
    transcripts.steps(4)

    assert [handled.interaction_id for handled in transcripts.handler.events] == [other.interaction_id]
    assert transcripts.figures() == {"handled": 1, "erased": 1}
    assert transcripts.queue.bodies() == []
    (record,) = [each for each in caplog.records if each.message == "transcript erased, its event is dropped"]
    assert record.__dict__["interaction_id"] == str(event.interaction_id)
    assert MARKER not in str([each.__dict__ for each in caplog.records])


def test_each_copy_of_an_erased_transcript_is_dropped(
    transcripts: ConsumerHarness, erasures: ConsumerHarness
) -> None:
    event = an_event()
    erasures.send(erased(event))
    erasures.steps(2)
    for _ in range(3):
        transcripts.send(event)
        transcripts.steps(2)

    assert transcripts.figures() == {"erased": 3}


def test_a_transcript_and_then_its_erasure_are_both_handled(
    transcripts: ConsumerHarness, erasures: ConsumerHarness
) -> None:
    event = transcripts.send()
    transcripts.steps(2)
    erasure = erasures.send(erased(event))
    erasures.steps(2)

    assert (transcripts.handler.events, erasures.handler.events) == ([event], [erasure])


def test_an_erasure_waits_while_a_handler_has_its_transcript(
    transcripts: ConsumerHarness, erasures: ConsumerHarness
) -> None:
    order: list[str] = []
    event = transcripts.send()
    erasures.handler.does = lambda received: order.append(received.event.status)

    def arriving(_: object) -> None:
        erasures.send(erased(event))
        erasures.steps(2)
        erasures.wait(5)
        order.append("completed")

    transcripts.handler.does = arriving
    transcripts.steps(2)
    erasures.wait(2)
    erasures.steps()

    assert order == ["completed", "erased"]
    assert erasures.figures() == {"handled": 1}


def test_a_transcript_is_dropped_while_a_handler_has_its_erasure(
    transcripts: ConsumerHarness, erasures: ConsumerHarness
) -> None:
    event = an_event()
    erasures.send(erased(event))

    def arriving(_: object) -> None:
        transcripts.send(event)
        transcripts.steps(2)

    erasures.handler.does = arriving
    erasures.steps(2)

    assert transcripts.figures() == {"erased": 1}
    assert erasures.figures() == {"handled": 1}


def test_a_transcript_whose_handler_failed_is_not_tried_again_after_its_erasure(
    transcripts: ConsumerHarness, erasures: ConsumerHarness
) -> None:
    event = transcripts.send()
    transcripts.handler.fails = "the shop is closed"
    transcripts.steps(2)
    erasures.send(erased(event))
    erasures.steps(2)
    transcripts.handler.fails = None

    transcripts.wait(31)
    transcripts.steps(2)

    assert len(transcripts.handler.got) == 1
    assert transcripts.stats.as_dict()["erased"] == 1
    assert not transcripts.stats.has_unhandled


def test_a_transcript_that_an_outage_keeps_in_flight_holds_its_erasure_back(
    transcripts: ConsumerHarness, erasures: ConsumerHarness
) -> None:
    transcripts.handler.fails = "the shop is closed"
    events = transcripts.send_many(5)
    transcripts.steps(6)
    kept = next(message.envelope.event for message in transcripts.in_flight.all())
    assert kept in events
    erasures.send(erased(kept))

    erasures.steps(2)
    assert erasures.figures() == {}
    transcripts.acknowledger.release(transcripts.in_flight.all())
    erasures.wait(2)
    erasures.steps()

    assert erasures.figures() == {"handled": 1}


def test_the_failure_of_a_recording_and_its_erasure_are_strangers(erasures: ConsumerHarness) -> None:
    failure = a_failure()
    erasures.send(erased(failure))
    erasures.steps(2)
    failures = erasures.of_kind(EventKind.FAILED)
    failures.send(failure)

    failures.steps(2)

    assert failures.handler.events == [failure]


def test_another_group_handles_erasures_for_itself(
    erasures: ConsumerHarness,
) -> None:
    event = an_event()
    erasures.send(erased(event))
    erasures.steps(2)
    stranger = ConsumerHarness()
    stranger.send(event)

    stranger.steps(2)

    assert stranger.handler.events == [event]


def test_a_store_that_fails_at_the_second_look_drops_nothing(transcripts: ConsumerHarness) -> None:
    event = transcripts.send()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            transcripts.memory, "statuses", raising(ProcessedEventsUnavailableError("the disk is full"))
        )
        transcripts.steps()
    assert transcripts.handler.got == []

    for _ in range(4):
        transcripts.wait(31)
        transcripts.steps(2)

    assert transcripts.handler.events == [event]


def test_an_erased_object_does_not_poison_the_queue(
    transcripts: ConsumerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    event, other = an_event(raw_transcript=MARKER), an_event()
    gone = transcripts.payloads.store(event)
    transcripts.payloads._objects.clear()
    transcripts.send(BatchProcessingCompletedV2.referring(event, gone))
    transcripts.send(by_reference(other, transcripts))

    transcripts.steps(4)

    assert transcripts.handler.events == [other]
    assert transcripts.figures() == {"handled": 1, "erased": 1}
    assert transcripts.queue.bodies() == transcripts.dead.bodies() == []
    assert not transcripts.stats.has_unhandled
    assert transcripts.memory.statuses(event.DETAIL_TYPE, [event.interaction_id]) == {}
    (record,) = [each for each in caplog.records if each.message == "transcript erased, its event is dropped"]
    assert record.__dict__["reason"] == "the object with its transcripts does not exist"


def test_a_store_that_does_not_say_that_the_object_is_missing_loses_nothing(
    transcripts: ConsumerHarness,
) -> None:
    transcripts.send(by_reference(an_event(), transcripts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcripts.payloads, "get", raising(PayloadStoreError("AccessDenied")))
        for _ in range(4):
            transcripts.steps(2)
            transcripts.wait(600)

    assert transcripts.figures()["failed"] == 3
    assert "erased" not in transcripts.figures()
    assert len(transcripts.dead.bodies()) == 1


def test_erasures_are_remembered_for_as_long_as_an_archive_may_keep_events(
    erasures: ConsumerHarness,
) -> None:
    event = an_event()
    erasures.queue.send(enveloped(erased(event)))
    consumer = Consumer(
        erasures.queue,
        SteeredHandler(),
        erasures.memory,
        kind=EventKind.ERASED,
        options=ConsumerOptions(threads=1, drain=True),
    )
    consumer.run()

    erasures.clock.advance(timedelta(days=ERASURE_DAYS - 1).total_seconds())

    key = EventKey("TranscriptErased", event.interaction_id)
    assert erasures.memory.acquire([key], lease_seconds=60) == (LeaseStatus.COMPLETED,)
