"""The event of a transcript that was erased: strict, and read forever."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from domain.model.contract.json_schema import published_schema
from domain.model.events.erased import TranscriptErased
from domain.model.events.kinds import EventKind, read_kind
from tests.support.samples.factories import an_erasure

GOLDEN = Path(__file__).parents[3] / "golden"
PAYLOAD = (GOLDEN / "transcript_erased.v1.0.json").read_text(encoding="utf-8")
SCHEMA = json.loads((GOLDEN / "transcript_erased.v1.0.schema.json").read_text(encoding="utf-8"))
AT = "2026-11-23T18:00:00.000000Z"


def test_the_golden_payload_parses_forever_and_is_written_again_as_it_was() -> None:
    event = TranscriptErased.model_validate_json(PAYLOAD)

    assert json.loads(event.to_json()) == json.loads(PAYLOAD)
    assert list(json.loads(event.to_json())) == list(json.loads(PAYLOAD))


def test_the_frozen_schema_is_the_one_of_the_model() -> None:
    assert published_schema(TranscriptErased) == SCHEMA


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "completed"),
        ("version", "1.1"),
        ("user_id", ""),
        ("data", {"raw_transcript": "a", "cleaned_transcript": "A."}),
        ("data", {"requested_by": "", "cause": "request", "at": AT}),
        ("data", {"requested_by": "a" * 257, "cause": "request", "at": AT}),
        ("data", {"requested_by": "a", "cause": "whim", "at": AT}),
        ("data", {"requested_by": "a", "cause": "request", "at": "2026-11-23T18:00:00"}),
        ("data", {"requested_by": "a", "cause": "request", "at": AT, "text": "hello"}),
    ],
)
def test_what_the_contract_does_not_say_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        TranscriptErased.model_validate_json(json.dumps({**json.loads(PAYLOAD), field: value}))


def test_a_later_minor_version_is_read_without_its_new_keys_and_a_major_one_is_not() -> None:
    erasure = an_erasure()
    later = json.loads(erasure.to_json()) | {"version": "1.4", "scope": "all"}

    assert read_kind(json.dumps(later), EventKind.ERASED) == erasure
    with pytest.raises(ValidationError):
        read_kind(json.dumps(later | {"version": "2.0"}), EventKind.ERASED)
