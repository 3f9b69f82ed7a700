"""The event of a recording that failed: strict, read forever, and told from the others by its type."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from domain.model.contract.json_schema import published_schema
from domain.model.events.failed import MAX_DETAIL_LENGTH, BatchProcessingFailed
from domain.model.events.kinds import EventKind, kind_of
from domain.model.events.sent import SentEvent, sent_event, stored_event
from tests.support.samples.factories import a_failure, a_referring_event, an_erasure, an_event

GOLDEN = Path(__file__).parents[3] / "golden"
PAYLOAD = (GOLDEN / "batch_processing_failed.v1.0.json").read_text(encoding="utf-8")
SCHEMA = json.loads((GOLDEN / "batch_processing_failed.v1.0.schema.json").read_text(encoding="utf-8"))


def test_the_golden_payload_parses_forever_and_is_written_again_as_it_was() -> None:
    event = BatchProcessingFailed.model_validate_json(PAYLOAD)

    assert json.loads(event.to_json()) == json.loads(PAYLOAD)
    assert list(json.loads(event.to_json())) == list(json.loads(PAYLOAD))


def test_the_frozen_schema_is_the_one_of_the_model() -> None:
    assert published_schema(BatchProcessingFailed) == SCHEMA


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "completed"),
        ("version", "1.1"),
        ("user_id", ""),
        ("data", {"raw_transcript": "a", "cleaned_transcript": "A."}),
        ("data", {"reason": "urn:problem:a", "detail": "", "retryable": True}),
        ("data", {"reason": "a", "detail": "", "retryable": 1}),
        ("data", {"reason": "a", "detail": "x" * (MAX_DETAIL_LENGTH + 1), "retryable": True}),
        ("data", {"reason": "a", "detail": "\ufffe", "retryable": True}),
        ("data", {"reason": "a", "detail": "", "retryable": True, "text": "hello"}),
    ],
)
def test_what_the_contract_does_not_say_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        BatchProcessingFailed.model_validate_json(json.dumps({**json.loads(PAYLOAD), field: value}))


@pytest.mark.parametrize(
    "event",
    [a_failure(), an_event(), a_referring_event(), an_erasure()],
    ids=["failed", "1.0", "2.0", "erased"],
)
def test_an_event_that_was_sent_is_read_as_the_same_type(event: SentEvent) -> None:
    assert sent_event(event.to_json()) == event


@pytest.mark.parametrize(
    "event", [a_failure(), an_event(), an_erasure()], ids=["failed", "completed", "erased"]
)
def test_an_event_that_was_stored_is_read_as_the_same_type(event: SentEvent) -> None:
    assert stored_event(event.to_json()) == event


def test_each_kind_has_a_detail_type_by_which_it_is_found() -> None:
    assert {kind: kind.detail_type for kind in EventKind} == {
        "completed": "BatchProcessingCompleted",
        "failed": "BatchProcessingFailed",
        "erased": "TranscriptErased",
    }
    assert [kind_of(kind.detail_type) for kind in EventKind] == list(EventKind)
    assert kind_of("BatchProcessingStarted") is None
