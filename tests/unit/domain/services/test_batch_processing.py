import logging
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.in_memory import InMemoryEventPublisher
from adapters.noop import NoOpEventPublisher
from domain.model.errors import (
    EventBusUnavailableError,
    EventRejectedError,
    InteractionIdTakenError,
    NotAudioError,
    TranscriberCrashedError,
)
from domain.model.events.event import PublicationStatus
from domain.model.identity import Identity
from domain.model.result_warnings import ResultWarning, WarningCode
from domain.model.transcripts import Transcript
from domain.services.batch_processing import BatchProcessingService
from domain.services.publishing.event_publisher import EventPublisher
from ports.cleaner_port import CleanerPort
from ports.event_port import EventPort
from ports.transcriber_port import Progress, TranscriberPort
from tests.support.doubles.transcription import (
    SPOKEN,
    CallbackCleaner,
    FailingEventPublisher,
    FixedTranscriber,
    HangingEventPublisher,
)

ALICE = Identity(tenant_id=uuid4(), user_id="alice", account_id="acme")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recording"
    path.write_bytes(b"sound")
    return path


def service(
    events: EventPort,
    *,
    transcriber: TranscriberPort | None = None,
    cleaner: CleanerPort | None = None,
    publish_timeout_seconds: float = 10.0,
) -> BatchProcessingService:
    return BatchProcessingService(
        transcriber or FixedTranscriber(),
        cleaner or CallbackCleaner(),
        EventPublisher(events),
        publish_timeout_seconds=publish_timeout_seconds,
    )


async def test_a_recording_becomes_both_transcripts_and_one_event(recording: Path) -> None:
    events = InMemoryEventPublisher()
    interaction_id = uuid4()

    result = await service(events).process(recording, ALICE, interaction_id)

    (event,) = events.published
    assert result.transcript == SPOKEN
    assert result.cleaned_transcript == "UM HELLO THE THE WORLD"
    assert result.publication.status is PublicationStatus.PUBLISHED
    assert result.publication.event_id
    assert (event.interaction_id, event.tenant_id) == (interaction_id, ALICE.tenant_id)
    assert (event.user_id, event.account_id) == ("alice", "acme")
    assert event.data.raw_transcript == SPOKEN.text
    assert event.data.cleaned_transcript == result.cleaned_transcript


async def test_the_event_leaves_after_the_cleaning(recording: Path) -> None:
    events = InMemoryEventPublisher()
    seen_by_the_cleaner: list[int] = []

    def clean(text: str) -> str:
        seen_by_the_cleaner.append(len(events.published))
        return text

    await service(events, cleaner=CallbackCleaner(clean)).process(recording, ALICE, uuid4())

    assert seen_by_the_cleaner == [0]
    assert len(events.published) == 1


async def test_a_recording_without_speech_is_a_result_with_an_event(recording: Path) -> None:
    events = InMemoryEventPublisher()
    silence = FixedTranscriber(Transcript(duration_seconds=9.0))

    result = await service(events, transcriber=silence).process(recording, ALICE, uuid4())

    (event,) = events.published
    assert (event.data.raw_transcript, event.data.cleaned_transcript) == ("", "")
    assert result.publication.status is PublicationStatus.PUBLISHED


async def test_a_recording_whose_interaction_id_has_an_event_gets_its_own_id_and_event(
    recording: Path, caplog: pytest.LogCaptureFixture
) -> None:
    events, taken = InMemoryEventPublisher(), uuid4()
    processing = service(events)

    first, second = [await processing.process(recording, ALICE, taken) for _ in range(2)]

    (warning,) = second.warnings
    assert [event.interaction_id for event in events.published] == [taken, second.interaction_id]
    assert (first.interaction_id, first.warnings) == (taken, ())
    assert second.interaction_id != taken
    assert warning.code is WarningCode.INTERACTION_ID_REPLACED
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert vars(record)["event_interaction_id"] == str(second.interaction_id)


async def test_a_transport_that_knows_every_interaction_id_costs_the_caller_nothing(recording: Path) -> None:
    events = FailingEventPublisher(InteractionIdTakenError(uuid4()))

    result = await service(events).process(recording, ALICE, uuid4())

    assert result.transcript == SPOKEN
    assert result.publication == (PublicationStatus.FAILED, None)


@pytest.mark.parametrize(
    "error", [EventBusUnavailableError("away"), EventRejectedError("too big"), RuntimeError("a defect")]
)
async def test_a_bus_that_fails_costs_the_caller_nothing(
    recording: Path, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    result = await service(FailingEventPublisher(error)).process(recording, ALICE, uuid4())

    assert result.transcript == SPOKEN
    assert result.publication == (PublicationStatus.FAILED, None)
    assert "event publishing failed" in caplog.text


async def test_a_bus_that_does_not_answer_costs_the_caller_no_more_than_the_time_out(
    recording: Path, caplog: pytest.LogCaptureFixture
) -> None:
    events = HangingEventPublisher()
    interaction_id = uuid4()

    result = await service(events, publish_timeout_seconds=0.05).process(recording, ALICE, interaction_id)
    events.answer.set()

    (record,) = [record for record in caplog.records if record.message == "event publishing failed"]
    assert result.cleaned_transcript
    assert result.publication.status is PublicationStatus.FAILED
    assert record.__dict__["interaction_id"] == str(interaction_id)
    assert record.exc_info is not None


async def test_disabled_publishing_shows_in_the_result(recording: Path) -> None:
    result = await service(NoOpEventPublisher("switched off")).process(recording, ALICE, uuid4())

    assert result.publication.status is PublicationStatus.DISABLED


@pytest.mark.parametrize("error", [NotAudioError("a zip"), TranscriberCrashedError("killed")])
async def test_without_a_transcript_there_is_no_event(recording: Path, error: Exception) -> None:
    events = InMemoryEventPublisher()

    with pytest.raises(type(error)):
        await service(events, transcriber=FixedTranscriber(error=error)).process(recording, ALICE, uuid4())

    assert events.published == ()


async def test_progress_reaches_whoever_asked_for_it(recording: Path) -> None:
    steps: list[Progress] = []

    await service(InMemoryEventPublisher()).process(recording, ALICE, uuid4(), on_progress=steps.append)

    assert steps == [Progress(3.5, 3.5)]


@pytest.mark.parametrize(
    ("events", "status"),
    [
        (InMemoryEventPublisher(), "published"),
        (FailingEventPublisher(EventBusUnavailableError("away")), "failed"),
        (NoOpEventPublisher("switched off"), "disabled"),
    ],
)
async def test_the_log_tells_whether_publishing_succeeded_or_failed(
    recording: Path, events: EventPort, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    await service(events).process(recording, ALICE, uuid4())

    (record,) = [record for record in caplog.records if record.message == "batch processing completed"]
    assert record.__dict__["event_status"] == status


async def test_the_log_tells_the_identity_its_warnings_and_the_outcome_but_no_text(
    recording: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    interaction_id = uuid4()
    warning = ResultWarning(code=WarningCode.TENANT_REPLACED, detail="tenant id 'x' is not a UUID v4")
    odd = Identity(uuid4(), "alice", None, warnings=(warning,))

    await service(InMemoryEventPublisher()).process(recording, odd, interaction_id)

    by_message = {record.message: record for record in caplog.records}
    assert by_message["tenant id 'x' is not a UUID v4"].levelno == logging.WARNING
    assert by_message["identity resolved"].__dict__["tenant_id"] == str(odd.tenant_id)
    assert by_message["batch processing completed"].__dict__["event_status"] == "published"
    assert by_message["batch processing completed"].__dict__["warnings"] == ["tenant-replaced"]
    assert by_message["batch processing completed"].__dict__["raw_length"] == len(SPOKEN.text)
    ours = [record for record in caplog.records if record.name.startswith("domain")]
    assert all(record.__dict__["interaction_id"] == str(interaction_id) for record in ours)
    assert "hello" not in str([record.__dict__ for record in ours]).lower()
