import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import ValidationError

from domain.model.contract.compatibility import required_bump
from domain.model.events.event import (
    BatchProcessingCompleted,
    BatchProcessingCompletedV2,
    TranscriptData,
    version_to_read,
)
from domain.model.events.kinds import EventKind, read_kind
from domain.model.events.sent import SentEvent
from domain.model.events.version import Bump
from tests.support.samples.factories import a_referring_event, an_event

A_UUID_V1 = "8f0e9a4c-e7d3-11f0-8054-02fc00000001"
GOLDEN = Path(__file__).parents[3] / "golden"
PAYLOAD = (GOLDEN / "batch_processing_completed.v1.0.json").read_text(encoding="utf-8")
SCHEMA = json.loads((GOLDEN / "batch_processing_completed.v1.0.schema.json").read_text(encoding="utf-8"))


PAYLOAD_2 = (GOLDEN / "batch_processing_completed.v2.0.json").read_text(encoding="utf-8")
SCHEMA_2 = json.loads((GOLDEN / "batch_processing_completed.v2.0.schema.json").read_text(encoding="utf-8"))


def detail(**changes: object) -> str:
    return json.dumps({**json.loads(PAYLOAD), **changes})


def read(text: str) -> SentEvent:
    return read_kind(text, EventKind.COMPLETED)


def test_the_golden_payload_parses_forever_and_is_written_again_as_it_was() -> None:
    event = BatchProcessingCompleted.model_validate_json(PAYLOAD)

    assert json.loads(event.to_json()) == json.loads(PAYLOAD)
    assert list(json.loads(event.to_json())) == list(json.loads(PAYLOAD))


def test_version_status_and_detail_type_are_what_the_contract_says() -> None:
    event = an_event()

    assert (event.version, event.status) == ("1.0", "completed")
    assert BatchProcessingCompleted.DETAIL_TYPE == "BatchProcessingCompleted"


@pytest.mark.parametrize(
    "field", ["interaction_id", "tenant_id", "user_id", "account_id", "timestamp", "data"]
)
def test_no_field_may_be_missing(field: str) -> None:
    payload = json.loads(PAYLOAD)
    del payload[field]

    with pytest.raises(ValidationError, match=field):
        BatchProcessingCompleted.model_validate(payload)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", "1.1"),
        ("version", 1.0),
        ("status", "failed"),
        ("interaction_id", A_UUID_V1),
        ("tenant_id", "not a uuid"),
        ("tenant_id", A_UUID_V1),
        ("tenant_id", None),
        ("user_id", ""),
        ("user_id", None),
        ("user_id", 7),
        ("account_id", 7),
        ("account_id", ["acme"]),
        ("timestamp", "2026-11-23T18:00:00"),
        ("timestamp", "yesterday"),
        ("data", {"raw_transcript": "a"}),
        ("data", {"raw_transcript": "a", "cleaned_transcript": "A.", "language": "en"}),
        ("data", {"raw_transcript": None, "cleaned_transcript": "A."}),
        ("surprise", True),
    ],
)
def test_what_the_contract_does_not_say_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        BatchProcessingCompleted.model_validate_json(detail(**{field: value}))


@pytest.mark.parametrize("account", ["acme", None])
def test_the_account_is_a_string_or_null_and_nothing_else(account: str | None) -> None:
    event = BatchProcessingCompleted.model_validate_json(detail(account_id=account))

    assert event.account_id == account
    assert json.loads(event.to_json())["account_id"] == account
    with pytest.raises(ValidationError, match="account_id"):
        BatchProcessingCompleted.model_validate_json(detail(account_id=7))


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        an_event().user_id = "mallory"  # type: ignore[misc]  # the point of the test


def test_the_timestamp_is_iso_8601_in_utc_whatever_zone_it_came_in() -> None:
    in_kathmandu = datetime(2026, 11, 23, 23, 45, tzinfo=timezone(timedelta(hours=5, minutes=45)))

    event = an_event(timestamp=in_kathmandu)

    assert json.loads(event.to_json())["timestamp"] == "2026-11-23T18:00:00.000000Z"
    assert event.timestamp == datetime(2026, 11, 23, 18, tzinfo=UTC)


@pytest.mark.parametrize("text", ["\ud800", "a\ufffe", "\uffff", "before \udfff after"])
def test_text_that_a_queue_would_refuse_is_refused_here(text: str) -> None:
    with pytest.raises(ValidationError, match="refuse"):
        TranscriptData(raw_transcript=text, cleaned_transcript="")


@pytest.mark.parametrize("text", ["", "naïve café", "日本語", "👩‍👩‍👧", "tab\tand\nline", "\x00"])
def test_any_other_text_survives_the_journey(text: str) -> None:
    data = TranscriptData(raw_transcript=text, cleaned_transcript=text)

    event = BatchProcessingCompleted.model_validate_json(
        an_event(raw_transcript=text, cleaned_transcript=text).to_json()
    )

    assert event.data == data


def test_a_refusal_never_shows_the_transcript() -> None:
    secret = "the merger is on friday"

    with pytest.raises(ValidationError) as refusal:
        BatchProcessingCompleted.model_validate_json(
            detail(
                data={"raw_transcript": secret, "cleaned_transcript": [secret]}, interaction_id=str(uuid4())
            )
        )

    assert secret not in str(refusal.value)


# Schema 2.0


def test_the_golden_payload_of_2_0_parses_forever_and_is_written_again_as_it_was() -> None:
    event = BatchProcessingCompletedV2.model_validate_json(PAYLOAD_2)

    assert json.loads(event.to_json()) == json.loads(PAYLOAD_2)
    assert list(json.loads(event.to_json())) == list(json.loads(PAYLOAD_2))


def test_a_reader_of_1_0_could_not_read_2_0_so_it_is_a_major_version() -> None:
    assert required_bump(SCHEMA, SCHEMA_2) is Bump.MAJOR
    with pytest.raises(ValidationError):
        BatchProcessingCompleted.model_validate_json(PAYLOAD_2)


def test_an_event_that_refers_to_its_transcripts_is_otherwise_the_same() -> None:
    event = an_event()
    referring = json.loads(a_referring_event(event).to_json())

    original = json.loads(event.to_json())
    assert referring.pop("version") == "2.0"
    assert referring.pop("data") == {
        "transcript_ref": {
            "bucket": "a-bucket",
            "key": "transcripts/a/b.json",
            "size": 7,
            "sha256": "0f" * 32,
        }
    }
    assert referring == {key: value for key, value in original.items() if key not in ("version", "data")}


@pytest.mark.parametrize(
    "change",
    [
        {"bucket": ""},
        {"key": ""},
        {"key": "a\ufffe"},
        {"size": -1},
        {"size": "7"},
        {"sha256": "0F" * 32},
        {"sha256": "0f" * 31},
        {"url": "https://signed.example"},
    ],
)
def test_a_reference_is_as_strict_as_the_rest(change: dict[str, object]) -> None:
    payload = json.loads(PAYLOAD_2)
    payload["data"]["transcript_ref"].update(change)

    with pytest.raises(ValidationError):
        BatchProcessingCompletedV2.model_validate_json(json.dumps(payload))


@pytest.mark.parametrize("payload", [PAYLOAD, PAYLOAD_2])
def test_an_event_is_read_by_its_version(payload: str) -> None:
    assert json.loads(read(payload).to_json()) == json.loads(payload)


@pytest.mark.parametrize("version", ["3.0", "", None, 1.0])
def test_an_unknown_version_is_not_read(version: object) -> None:
    with pytest.raises(ValidationError, match="version"):
        read(detail(version=version))


@pytest.mark.parametrize("payload", [PAYLOAD, PAYLOAD_2])
@pytest.mark.parametrize("minor", [1, 12])
def test_a_later_minor_version_is_read_without_what_it_has_added(payload: str, minor: int) -> None:
    later = json.loads(payload)
    major = later["version"].partition(".")[0]
    later |= {"version": f"{major}.{minor}", "language": "en"}
    later["data"] |= {"confidence": 0.9}

    assert json.loads(read(json.dumps(later)).to_json()) == json.loads(payload)


@pytest.mark.parametrize(
    "change",
    [{"tenant_id": "unknown"}, {"data": {}}, {"version": "1.01"}, {"version": "1.1.0"}, {"version": "3.1"}],
)
def test_a_later_minor_version_keeps_to_what_was_before(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        read(json.dumps({**json.loads(PAYLOAD), "version": "1.1", **change}))


@pytest.mark.parametrize(
    ("written", "known"),
    [("1.0", "1.0"), ("1.7", "1.0"), ("2.10", "2.0"), ("3.0", None), ("0.9", None), ("1.01", None),
     ("01.1", None), ("1", None), (1.1, None), (None, None), ("1." + "9" * 5000, None)],
)  # fmt: skip
def test_an_event_is_read_by_the_known_version_of_its_major(written: object, known: str | None) -> None:
    version = version_to_read(written)

    assert (version and str(version)) == known


@pytest.mark.parametrize("text", ["", "[]", "null", '"1.1"', '{"version": ["1.1"]}', "{", "[" * 100_000])
def test_what_is_no_event_is_not_read(text: str) -> None:
    with pytest.raises(ValidationError):
        read(text)
