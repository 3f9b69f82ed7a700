"""The published documents: true to the models, valid by their own rules, and read as consumers read them."""

import copy
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate as validate_openapi

from domain.model.contract.documents import DOCUMENTS, contract_files
from domain.model.contract.envelope_schema import envelope_schema
from domain.model.contract.examples import example_envelope
from domain.model.contract.json_schema import published_schema
from domain.model.events.erased import ErasureCause, TranscriptErased
from domain.model.events.event import (
    BatchProcessingCompleted,
    BatchProcessingCompletedV2,
)
from domain.model.events.failed import BatchProcessingFailed
from domain.model.events.kinds import EventKind
from domain.model.events.sent import SentEvent, sent_event
from domain.model.route.route import DEFAULT_ROUTES, RouteNames
from tests.support.samples.contract_history import ROOT, frozen
from tests.support.samples.factories import a_failure, a_referring_event, an_erasure, an_event

GOLDEN = ROOT / "tests" / "unit" / "golden"
EVENTS = ROOT / "docs" / "events"
FILES = contract_files(DEFAULT_ROUTES)
PAYLOADS = [
    json.loads((GOLDEN / f"batch_processing_completed.v{version}.json").read_text(encoding="utf-8"))
    for version in ("1.0", "2.0")
]
ERASED = json.loads((GOLDEN / "transcript_erased.v1.0.json").read_text(encoding="utf-8"))
FAILED = json.loads((GOLDEN / "batch_processing_failed.v1.0.json").read_text(encoding="utf-8"))
MODELS = [model for kind in EventKind for model in kind.models]


SCHEMAS = ("1.0", "2.0", "envelope", "failed-1.0", "failed-envelope", "erased-1.0", "erased-envelope")


def document(name: str) -> Any:
    return json.loads(FILES[DOCUMENTS[name].file])


def errors(schema: Any, payload: Any) -> list[str]:
    return [error.json_path for error in Draft202012Validator(schema).iter_errors(payload)]


def in_envelope(detail: dict[str, Any], **more: object) -> dict[str, Any]:
    return {**example_envelope(BatchProcessingCompleted, "com.acme"), "detail": detail, **more}


def in_failed_envelope(detail: dict[str, Any], **more: object) -> dict[str, Any]:
    return {**example_envelope(BatchProcessingFailed, "com.acme"), "detail": detail, **more}


def in_erased_envelope(detail: dict[str, Any], **more: object) -> dict[str, Any]:
    return {**example_envelope(TranscriptErased, "com.acme"), "detail": detail, **more}


def schemas_within(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if {"type", "$ref", "anyOf", "oneOf"} & schema.keys():
            yield schema
        for value in schema.values():
            yield from schemas_within(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from schemas_within(value)


# As committed


@pytest.mark.parametrize("name", FILES)
def test_the_committed_file_is_what_the_models_say(name: str) -> None:
    path = EVENTS / name

    assert path.is_file(), "run `make contract`"
    assert path.read_bytes().decode("utf-8") == FILES[name], "run `make contract`"


def test_every_version_that_was_frozen_is_still_committed_and_nothing_else_is() -> None:
    names = {str(schema["$id"]).removeprefix("urn:batch-transcription:event:") for _, schema in frozen()}
    versions = {f"{name.replace(':', '-')}.schema.json" for name in names}
    found = {path.relative_to(EVENTS).as_posix() for path in EVENTS.rglob("*") if path.is_file()}

    assert found == {*FILES, *versions, "README.md"}


def test_the_page_for_people_names_every_field_and_every_file() -> None:
    page = (EVENTS / "README.md").read_text(encoding="utf-8")
    schemas = [part for name in SCHEMAS for part in schemas_within(document(name))]
    fields = {field for schema in schemas for field in schema.get("properties", {})}

    assert [field for field in fields if f"`{field}`" not in page] == []
    assert [name for name in FILES if name not in page] == []


# Schemas


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_and_so_are_its_examples(name: str) -> None:
    schema = document(name)

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].startswith("urn:batch-transcription:event:")
    assert schema["examples"]
    assert [errors(schema, example) for example in schema["examples"]] == [[]] * len(schema["examples"])


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_is_described_and_no_object_is_closed(name: str) -> None:
    for schema in schemas_within(document(name)):
        assert "additionalProperties" not in schema
        for field, value in schema.get("properties", {}).items():
            assert value.get("description") or "$ref" in value, field


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_golden_payloads_are_valid_by_their_own_version_only(payload: dict[str, Any]) -> None:
    valid = [name for name in ("1.0", "2.0") if not errors(document(name), payload)]

    assert valid == [payload["version"]]
    assert errors(document("envelope"), in_envelope(payload)) == []


@pytest.mark.parametrize(
    "event", [an_event(), an_event(account_id=None), an_event(raw_transcript="\x00日本")]
)
def test_what_the_models_write_is_valid(event: BatchProcessingCompleted) -> None:
    for written in (event, a_referring_event(event)):
        payload = json.loads(written.to_json())
        assert errors(document(written.version), payload) == []
        assert errors(document("envelope"), in_envelope(payload)) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", "2.0"),
        ("version", "1"),
        ("version", "1.01"),
        ("status", "failed"),
        ("interaction_id", "8f0e9a4c-e7d3-11f0-8054-02fc00000001"),
        ("tenant_id", "3F0E1F5E-6F0B-4C57-9C55-0D9B1C7F2A11"),
        ("tenant_id", None),
        ("user_id", ""),
        ("account_id", 7),
        ("timestamp", "2026-11-23T18:00:00"),
        ("timestamp", "2026-11-23T18:00:00.000000+01:00"),
        ("data", {"raw_transcript": "a"}),
        ("data", None),
    ],
)
def test_what_the_models_never_write_is_not_valid(field: str, value: object) -> None:
    payload = {**PAYLOADS[0], field: value}

    assert errors(document("1.0"), payload)
    assert errors(document("envelope"), in_envelope(payload))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_key_may_be_missing(payload: dict[str, Any]) -> None:
    for key in payload:
        without = {name: value for name, value in payload.items() if name != key}
        assert errors(document(payload["version"]), without), key


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_reader_survives_the_next_minor_version(payload: dict[str, Any]) -> None:
    major = payload["version"][0]
    later = copy.deepcopy(payload) | {"version": f"{major}.12", "language": "en"}
    later["data"]["confidence"] = 0.9

    assert errors(document(payload["version"]), later) == []
    assert errors(document("envelope"), in_envelope(later, **{"replay-name": "again"})) == []
    assert errors(document("envelope"), in_envelope(later | {"version": "3.0"})) == ["$.detail"]


def test_the_envelope_is_the_one_of_eventbridge() -> None:
    schema = document("envelope")
    keys = ["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"]

    assert schema["required"] == keys
    assert list(schema["properties"]) == [*keys, "replay-name"]
    for key, wrong in [("version", "1"), ("detail-type", "Other"), ("account", "12"), ("resources", "a")]:
        assert errors(schema, in_envelope(PAYLOADS[0], **{key: wrong})) == [
            f"$.{key}" if key.isalpha() else f"$['{key}']"
        ]


def test_an_optional_key_of_a_model_is_optional_for_its_readers_and_a_constant_is_always_there() -> None:
    class Next(BatchProcessingCompleted):
        language: str | None = None

    schema = published_schema(Next)

    assert isinstance(schema["required"], list)
    assert "language" not in schema["required"]
    assert {"version", "status"} <= set(schema["required"])


# Examples


def test_the_examples_are_the_golden_payloads_and_the_reference_leads_to_the_object() -> None:
    first, second = (
        json.loads(FILES[f"examples/batch-processing-completed-{v}.json"]) for v in ("1.0", "2.0")
    )
    content = FILES["examples/transcripts-of-2.0.json"].encode()
    ref = second["data"]["transcript_ref"]

    assert first == PAYLOADS[0]
    assert (ref["size"], ref["sha256"]) == (len(content), sha256(content).hexdigest())
    assert json.loads(content) == first["data"]
    assert {**second, "version": "1.0", "data": first["data"]} == first


@pytest.mark.parametrize("model", MODELS)
def test_the_models_read_the_examples(model: type[SentEvent]) -> None:
    (prefix,) = (kind.prefix for kind in EventKind if model in kind.models)
    example = json.loads(FILES[f"examples/{prefix}envelope-{model.SCHEMA_VERSION}.json"])

    assert isinstance(sent_event(json.dumps(example["detail"])), model)
    assert errors(document(f"{prefix}envelope"), example) == []


# Failed events


def test_the_golden_payload_of_a_failure_is_valid_by_its_own_schema_only() -> None:
    example = json.loads(FILES["examples/batch-processing-failed-1.0.json"])

    assert example == FAILED
    assert errors(document("failed-1.0"), FAILED) == []
    assert errors(document("failed-envelope"), in_failed_envelope(FAILED)) == []
    assert [name for name in ("1.0", "2.0") if not errors(document(name), FAILED)] == []
    assert errors(document("envelope"), in_failed_envelope(FAILED))
    assert errors(document("failed-envelope"), in_envelope(PAYLOADS[0]))


def test_what_the_model_of_a_failure_writes_is_valid() -> None:
    payload = json.loads(a_failure(detail="日本", retryable=True).to_json())

    assert errors(document("failed-1.0"), payload) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "completed"), ("version", "2.0"), ("data", None), ("data", {"reason": "a", "detail": "b"}),
     ("data", {"reason": "Not A Name", "detail": "", "retryable": True}),
     ("data", {"reason": "a", "detail": "", "retryable": "no"})],
)  # fmt: skip
def test_what_the_model_of_a_failure_never_writes_is_not_valid(field: str, value: object) -> None:
    assert errors(document("failed-1.0"), {**FAILED, field: value})


def test_a_reader_of_failures_survives_the_next_minor_version() -> None:
    later = {**FAILED, "version": "1.7", "data": {**FAILED["data"], "unit": 3}}

    assert errors(document("failed-envelope"), in_failed_envelope(later)) == []


# Erasures


def test_the_golden_payload_of_an_erasure_is_valid_by_its_own_schema_only() -> None:
    assert errors(document("erased-1.0"), ERASED) == []
    assert errors(document("erased-envelope"), in_erased_envelope(ERASED)) == []
    assert [name for name in ("1.0", "2.0", "failed-1.0") if not errors(document(name), ERASED)] == []
    assert errors(document("envelope"), in_erased_envelope(ERASED))
    assert errors(document("failed-envelope"), in_erased_envelope(ERASED))
    assert errors(document("erased-envelope"), in_failed_envelope(FAILED))


def test_what_the_model_of_an_erasure_writes_is_valid() -> None:
    payload = json.loads(an_erasure(requested_by="日本", cause=ErasureCause.RETENTION).to_json())

    assert errors(document("erased-1.0"), payload) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "completed"), ("version", "2.0"), ("data", None),
     ("data", {"requested_by": "a", "cause": "request"}),
     ("data", {"requested_by": "", "cause": "request", "at": ERASED["timestamp"]}),
     ("data", {"requested_by": "a", "cause": "whim", "at": ERASED["timestamp"]})],
)  # fmt: skip
def test_what_the_model_of_an_erasure_never_writes_is_not_valid(field: str, value: object) -> None:
    assert errors(document("erased-1.0"), {**ERASED, field: value})


def test_a_reader_of_erasures_survives_the_next_minor_version() -> None:
    later = {**ERASED, "version": "1.7", "data": {**ERASED["data"], "unit": 3}}

    assert errors(document("erased-envelope"), in_erased_envelope(later)) == []


# The registry's document


@pytest.mark.parametrize(
    ("name", "detail_type"),
    [("failed-openapi", "BatchProcessingFailed"), ("erased-openapi", "TranscriptErased")],
)
def test_every_other_kind_has_a_registry_document_of_its_own(name: str, detail_type: str) -> None:
    openapi = document(name)
    event = openapi["components"]["schemas"]["AWSEvent"]

    validate_openapi(openapi)
    assert event["x-amazon-events-detail-type"] == detail_type
    assert event["properties"]["detail"]["oneOf"] == [{"$ref": f"#/components/schemas/{detail_type}V1"}]


def test_the_registry_document_is_valid_openapi_with_what_eventbridge_looks_for() -> None:
    openapi = document("openapi")

    validate_openapi(openapi)
    event = openapi["components"]["schemas"]["AWSEvent"]
    assert openapi["openapi"] == "3.0.0"
    assert openapi["paths"] == {}
    assert event["x-amazon-events-detail-type"] == "BatchProcessingCompleted"
    assert event["x-amazon-events-source"] == "com.yourapp.transcription"
    assert event["properties"]["detail"]["oneOf"] == [
        {"$ref": "#/components/schemas/BatchProcessingCompletedV1"},
        {"$ref": "#/components/schemas/BatchProcessingCompletedV2"},
    ]


def test_the_registry_document_holds_nothing_that_openapi_3_0_does_not_know() -> None:
    openapi = document("openapi")
    unknown = {"const", "examples", "$schema", "$id", "$defs", "anyOf"}

    found = [schema.keys() & unknown for schema in schemas_within(openapi["components"])]

    assert set().union(*found) == set()
    assert openapi["components"]["schemas"]["BatchProcessingCompletedV1"]["properties"]["account_id"] == {
        "type": "string",
        "nullable": True,
        "description": "The account within the tenant, if the request named one.",
    }


# AsyncAPI


def test_the_asyncapi_document_has_a_channel_an_operation_and_a_message_that_lead_to_each_other() -> None:
    asyncapi = document("asyncapi")
    channel = asyncapi["channels"]["transcripts"]
    operation = asyncapi["operations"]["sendTranscript"]

    assert asyncapi.keys() == {
        "asyncapi", "info", "defaultContentType", "channels", "operations", "components"
    }  # fmt: skip
    assert asyncapi["asyncapi"] == "3.0.0"
    assert channel["address"] == channel["bindings"]["sqs"]["queue"]["name"] == "meeting-transcripts-queue"
    assert followed(asyncapi, operation["channel"]) == channel
    (sent,) = operation["messages"]
    assert followed(asyncapi, sent) in channel["messages"].values()


@pytest.mark.parametrize(
    ("name", "queue", "detail_type"),
    [("sendFailure", "meeting-failures-queue", "BatchProcessingFailed"),
     ("sendErasure", "meeting-erasures-queue", "TranscriptErased")],
)  # fmt: skip
def test_the_asyncapi_document_has_a_channel_of_every_other_kind(
    name: str, queue: str, detail_type: str
) -> None:
    asyncapi = document("asyncapi")
    operation = asyncapi["operations"][name]
    message = followed(asyncapi, followed(asyncapi, operation["messages"][0]))
    payload = {**followed(asyncapi, message["payload"]), "components": asyncapi["components"]}

    assert followed(asyncapi, operation["channel"])["address"] == queue
    assert message["name"] == detail_type
    assert [errors(payload, example["payload"]) for example in message["examples"]] == [[]]


def test_the_payload_of_the_asyncapi_message_is_the_envelope_with_either_version() -> None:
    asyncapi = document("asyncapi")
    message = followed(asyncapi, followed(asyncapi, asyncapi["operations"]["sendTranscript"]["messages"][0]))
    payload = followed(asyncapi, message["payload"])

    assert [reference["$ref"] for reference in payload["properties"]["detail"]["oneOf"]] == [
        "#/components/schemas/BatchProcessingCompletedV1",
        "#/components/schemas/BatchProcessingCompletedV2",
    ]
    as_schema = {**payload, "components": asyncapi["components"]}
    assert [errors(as_schema, example["payload"]) for example in message["examples"]] == [[], []]
    assert errors(as_schema, in_envelope({"version": "3.0"})) == ["$.detail"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_reference_leads_somewhere(name: str) -> None:
    whole = document(name)

    for schema in schemas_within(whole):
        assert "$ref" not in schema or followed(whole, schema)


def followed(whole: Any, reference: Any) -> Any:
    value = whole
    for step in reference["$ref"].removeprefix("#/").split("/"):
        value = value[step]
    return value


def test_names_of_another_environment_show_where_they_matter() -> None:
    names = RouteNames(source="com.acme", queue="acme-queue", dead_letter_queue="acme-dlq")
    files = contract_files({**DEFAULT_ROUTES, EventKind.COMPLETED: names})

    assert '"x-amazon-events-source": "com.acme"' in files["openapi.json"]
    assert '"address": "acme-queue"' in files["asyncapi.json"]
    assert '"name": "acme-dlq"' in files["asyncapi.json"]
    assert errors(envelope_schema(names), in_envelope(PAYLOADS[1])) == []
    assert (
        files["batch-processing-completed-1.0.schema.json"]
        == FILES["batch-processing-completed-1.0.schema.json"]
    )


def test_the_newest_version_is_the_last_of_the_models() -> None:
    assert EventKind.COMPLETED.models[-1] is BatchProcessingCompletedV2
    assert document("openapi")["info"]["version"] == "2.0.0"


def test_the_documents_are_plain_text_that_steers_no_terminal() -> None:
    assert all(text.isascii() for text in FILES.values())
