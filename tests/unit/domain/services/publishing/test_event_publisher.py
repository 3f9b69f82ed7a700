import logging
from datetime import UTC, datetime
from uuid import UUID, uuid1, uuid4

import pytest
from pydantic import ValidationError

from adapters.in_memory import InMemoryEventPublisher
from adapters.noop import NoOpEventPublisher
from domain.model.errors import EventBusUnavailableError, EventRejectedError
from domain.model.events.event import PublicationStatus, TranscriptData
from domain.services.publishing.event_publisher import EventPublisher
from ports.event_port import EventPort
from tests.support.doubles.transcription import FailingEventPublisher

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DATA = TranscriptData(raw_transcript="um a secret plan", cleaned_transcript="A secret plan.")


def publisher(events: EventPort) -> EventPublisher:
    return EventPublisher(events, source="com.example.speech", now=lambda: NOON)


def test_the_event_that_leaves_holds_what_was_handed_in_and_the_moment() -> None:
    events = InMemoryEventPublisher()
    interaction_id, tenant_id = uuid4(), uuid4()

    publication = publisher(events).publish(interaction_id, tenant_id, "alice", "acme", DATA)

    (event,) = events.published
    assert publication.status is PublicationStatus.PUBLISHED
    assert (event.interaction_id, event.tenant_id) == (interaction_id, tenant_id)
    assert (event.user_id, event.account_id) == ("alice", "acme")
    assert (event.version, event.status, event.timestamp) == ("1.0", "completed", NOON)
    assert event.data == DATA


def test_success_is_logged_with_every_id_and_with_lengths_instead_of_texts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    interaction_id = uuid4()
    caplog.set_level(logging.DEBUG)

    publication = publisher(InMemoryEventPublisher()).publish(interaction_id, uuid4(), "alice", None, DATA)

    (record,) = [record for record in caplog.records if record.message == "event published"]
    assert record.levelno == logging.INFO
    assert record.__dict__["event_id"] == publication.event_id
    assert record.__dict__["interaction_id"] == str(interaction_id)
    assert record.__dict__["source"] == "com.example.speech"
    assert record.__dict__["detail_type"] == "BatchProcessingCompleted"
    assert record.__dict__["raw_length"] == len(DATA.raw_transcript)
    assert "secret" not in str(record.__dict__)


@pytest.mark.parametrize(
    "error", [EventRejectedError("too big"), EventBusUnavailableError("away"), RuntimeError("a defect")]
)
def test_failure_is_logged_with_its_trace_and_the_interaction_id_and_raised(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    interaction_id = uuid4()

    with pytest.raises(type(error)):
        publisher(FailingEventPublisher(error)).publish(interaction_id, uuid4(), "alice", None, DATA)

    (record,) = [record for record in caplog.records if record.message == "event publishing failed"]
    assert record.levelno == logging.ERROR
    assert record.__dict__["interaction_id"] == str(interaction_id)
    assert record.__dict__["error_type"] == type(error).__name__
    assert record.__dict__["error"] == str(error)
    assert record.exc_info is not None
    assert record.exc_info[1] is error


@pytest.mark.parametrize(
    ("interaction_id", "user_id"), [(uuid1(), "alice"), (UUID(int=0), "alice"), (uuid4(), "")]
)
def test_an_event_that_breaks_its_schema_is_rejected_before_it_leaves(
    interaction_id: UUID, user_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    events = InMemoryEventPublisher()

    with pytest.raises(EventRejectedError, match="breaks its own schema"):
        publisher(events).publish(interaction_id, uuid4(), user_id, None, DATA)

    assert events.published == ()
    assert "secret" not in caplog.text


@pytest.mark.parametrize("missing", ["interaction_id", "tenant_id", "user_id", "data"])
def test_an_event_without_a_required_field_is_rejected_before_it_leaves(
    missing: str, caplog: pytest.LogCaptureFixture
) -> None:
    events = InMemoryEventPublisher()
    fields = {
        "interaction_id": uuid4(),
        "tenant_id": uuid4(),
        "user_id": "alice",
        "data": DATA,
        missing: None,
    }

    with pytest.raises(EventRejectedError, match=missing):
        publisher(events).publish(**fields, account_id=None)  # type: ignore[arg-type]  # the point of the test

    assert events.published == ()
    (record,) = [record for record in caplog.records if record.message == "event publishing failed"]
    assert record.__dict__["interaction_id"] == str(fields["interaction_id"])
    assert missing in record.__dict__["error"]
    assert "secret" not in caplog.text


def test_half_of_the_transcripts_is_rejected_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    interaction_id, texts = uuid4(), DATA.model_dump(exclude={"cleaned_transcript"})

    with pytest.raises(EventRejectedError, match="breaks its own schema"):
        publisher(InMemoryEventPublisher()).publish(interaction_id, uuid4(), "alice", None, texts)  # type: ignore[arg-type]  # the point of the test

    assert str(interaction_id) in str([record.__dict__ for record in caplog.records])
    assert "secret" not in caplog.text


@pytest.mark.parametrize("missing", ["raw_transcript", "cleaned_transcript"])
def test_there_are_no_transcripts_to_publish_where_one_is_missing(missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        TranscriptData.model_validate(DATA.model_dump(exclude={missing}))


def test_a_disabled_transport_is_warned_about_for_each_event(caplog: pytest.LogCaptureFixture) -> None:
    disabled = publisher(NoOpEventPublisher("no credentials"))
    caplog.clear()

    for _ in range(2):
        assert disabled.publish(uuid4(), uuid4(), "a", None, DATA).status is PublicationStatus.DISABLED

    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert all("disabled" in record.message for record in caplog.records)
