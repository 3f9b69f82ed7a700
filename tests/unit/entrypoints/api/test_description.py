"""The OpenAPI document and its page, read as generators, validators and browsers read them."""

import importlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate as validate_openapi

from domain.model import errors
from domain.model.problem_names import problem_name
from domain.model.recordings import ACCEPTED
from domain.model.transcripts import Provenance, Segment, Transcript, TranscriptionOptions, Word
from entrypoints.api.app import create_app
from entrypoints.api.problems import PROBLEMS
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.job_api import JobCaller
from tests.support.harness.service import container_for, serving

OPERATIONS = {
    ("/batch/process", "post"): "process_recording",
    ("/batch/jobs", "post"): "submit_job",
    ("/batch/jobs", "get"): "list_jobs",
    ("/batch/jobs/events", "get"): "follow_jobs",
    ("/batch/jobs/{job_id}", "get"): "get_job",
    ("/batch/jobs/{job_id}/delivery", "get"): "get_delivery",
    ("/batch/jobs/{job_id}", "delete"): "end_job",
    ("/batch/jobs/{job_id}/events", "get"): "follow_job",
    ("/batch/jobs/{job_id}/transcript", "get"): "get_transcript",
    ("/batch/jobs/{job_id}/recording", "get"): "play_recording",
    ("/batch/jobs/{job_id}/waveform", "get"): "get_waveform",
    ("/batch/jobs/{job_id}/retry", "post"): "retry_job",
    ("/operations/outbox", "get"): "list_outbox",
    ("/operations/outbox/retry", "post"): "retry_outbox",
    ("/operations/route", "get"): "show_route",
    ("/operations/route/verify", "post"): "verify_route",
    ("/operations/dead-letters", "get"): "list_dead_letters",
    ("/operations/dead-letters/{message_id}", "get"): "show_dead_letter",
    ("/operations/dead-letters/redrive", "post"): "redrive_dead_letters",
    ("/operations/dead-letters/archive", "post"): "archive_dead_letters",
    ("/health/live", "get"): "liveness",
    ("/health/ready", "get"): "readiness",
}
GENERATE = (sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning")


@pytest.fixture
def engine() -> FixedTranscriber:
    return FixedTranscriber()


@pytest.fixture
def api(tmp_path: Path, engine: FixedTranscriber) -> Iterator[TestClient]:
    with TestClient(create_app(container_for(tmp_path / "spool", engine))) as api:
        yield api


@pytest.fixture
def document(api: TestClient) -> Any:
    return api.get("/openapi.json").json()


def responses(document: Any) -> dict[tuple[str, str], Any]:
    """Return the responses of each operation and status."""
    return {
        (operation["operationId"], status): response
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
    }


def examples(part: Any) -> Iterator[tuple[Any, Any]]:
    """Find the examples of schemas, and those beside a schema: of contents, headers and parameters."""
    if isinstance(part, dict):
        schema = part.get("schema", part)
        given = part.get("examples", [])
        yield from ((schema, each) for each in given if isinstance(given, list))
        yield from ((schema, each["value"]) for each in (given.values() if isinstance(given, dict) else ()))
        if "example" in part:
            yield schema, part["example"]
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from examples(inner)


def faults(document: Any, schema: Any, value: Any) -> list[str]:
    """Validate a value by a schema of the document; a reference leads into its components."""
    rooted = {**schema, "components": document["components"]}
    validator = Draft202012Validator(rooted, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def test_the_document_is_valid_and_names_the_operations(document: Any) -> None:
    validate_openapi(document)

    found = {
        (path, method): operation["operationId"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert found == OPERATIONS


def test_the_accepted_formats_are_described(document: Any) -> None:
    assert ACCEPTED in str(document["paths"]["/batch/process"]["post"]["requestBody"])


def test_every_problem_is_one_component_and_has_an_example(document: Any) -> None:
    described = [
        content["application/problem+json"]
        for response in responses(document).values()
        if "application/problem+json" in (content := response.get("content", {}))
    ]

    assert {each["schema"]["$ref"] for each in described} == {"#/components/schemas/Problem"}
    assert set(document["components"]["schemas"]["Problem"]["properties"]) == {
        "type",
        "title",
        "status",
        "detail",
    }
    assert {name for each in described for name in each["examples"]} == set(map(problem_name, PROBLEMS))


def test_every_example_is_one_by_its_schema(document: Any) -> None:
    found = list(examples(document))

    assert len(found) > len(PROBLEMS)
    assert [(value, wrong) for schema, value in found if (wrong := faults(document, schema, value))] == []


def test_every_answer_has_its_headers_described(document: Any) -> None:
    headers = {key: set(response["headers"]) for key, response in responses(document).items()}

    assert all("X-Interaction-ID" in names for names in headers.values())
    retried = {key for key, names in headers.items() if "Retry-After" in names}
    assert {status for _, status in retried} == {"200", "202", "409", "503"}
    assert {operation for operation, status in retried if status == "200"} == {"get_job"}
    assert all("Location" in names for (_, status), names in headers.items() if status == "202")
    challenged = {key for key, names in headers.items() if "WWW-Authenticate" in names}
    assert {status for _, status in challenged} == {"401", "403"}
    assert {operation for operation, _ in challenged}.isdisjoint({"liveness", "readiness"})
    assert set(document["components"]["headers"]) == {"InteractionId", "RetryAfter", "Challenge"}


@pytest.mark.parametrize(
    "error",
    [
        None,
        errors.NotAudioError("a zip"),
        errors.TranscriberBusyError("all slots are taken", retry_after_seconds=7),
        errors.TranscriberCrashedError("killed"),
    ],
)
def test_an_answer_is_as_the_document_describes_it(
    api: TestClient, engine: FixedTranscriber, document: Any, error: Exception | None
) -> None:
    engine.error = error

    response = api.post("/batch/process?language=de", files={"file": b"sound"})

    described = responses(document)["process_recording", str(response.status_code)]
    schema = described["content"][response.headers["content-type"]]["schema"]
    own = {name for name in response.headers if name.startswith("x-") or name == "retry-after"}
    assert faults(document, schema, response.json()) == []
    assert own <= {name.lower() for name in described["headers"]}


def test_a_job_is_as_the_document_describes_it(
    api: TestClient, engine: FixedTranscriber, document: Any
) -> None:
    engine.error = errors.NotAudioError("a zip")
    caller = JobCaller(api)
    submitted = caller.submit(data={"metadata": '{"a": [1, null]}'})
    failed = caller.ended(submitted.json())
    path = failed["links"]["self"]

    answers = [
        ("submit_job", submitted),
        ("get_job", caller.get(path)),
        ("retry_job", caller.send("POST", failed["links"]["retry"])),
        ("list_jobs", caller.get("/batch/jobs")),
        ("get_transcript", caller.get(f"{path}/transcript")),
        ("get_job", caller.get("/batch/jobs/7")),
    ]

    for operation, response in answers:
        described = responses(document)[operation, str(response.status_code)]
        schema = described["content"][response.headers["content-type"]]["schema"]
        own = {name for name in response.headers if name in {"location", "etag", "retry-after"}}
        assert faults(document, schema, response.json()) == []
        assert own <= {name.lower() for name in described["headers"]}
    assert [response.status_code for _, response in answers] == [202, 200, 202, 200, 409, 404]


def test_an_answer_with_everything_is_as_the_document_describes_it(tmp_path: Path) -> None:
    words = (Word(start=0.0, end=0.5, text="hello", confidence=0.75), Word(start=0.5, end=1.0, text="you"))
    spoken = Segment(start=0.0, end=1.0, text="hello you", words=words, speaker="A", channel=1)
    doubtful = Segment(start=1.0, end=2.0, text="you", is_doubtful=True)
    made_by = Provenance(engine="fake", model="small", language="en", language_probability=0.9)
    engine = FixedTranscriber(
        Transcript(duration_seconds=2.0, segments=(spoken, doubtful), provenance=made_by)
    )
    with TestClient(create_app(container_for(tmp_path / "spool", engine))) as api:
        document = api.get("/openapi.json").json()
        answer = api.post("/batch/process", files={"file": b"sound"}).json()

    schema = document["components"]["schemas"]["BatchResponse"]
    assert faults(document, schema, answer) == []
    assert set(answer) == set(schema["properties"])


@pytest.mark.process
def test_a_generated_client_uploads_a_recording_and_reads_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, tenant, interaction_id = FixedTranscriber(), uuid4(), uuid4()
    with serving(container_for(tmp_path / "spool", engine)) as port:
        generate(f"http://127.0.0.1:{port}/openapi.json", tmp_path / "recordings_client")
        monkeypatch.syspath_prepend(tmp_path)
        upload = importlib.import_module("recordings_client.api.batch.process_recording").sync_detailed
        ready = importlib.import_module("recordings_client.api.health.readiness").sync
        models = importlib.import_module("recordings_client.models")
        connect = importlib.import_module("recordings_client").Client
        file = importlib.import_module("recordings_client.types").File

        def send() -> Any:
            body = models.ProcessRecordingBody(
                file(io.BytesIO(b"sound"), "call.wav", "audio/wav"), language="de", vocabulary=["Acme", "Zoë"]
            )
            return upload(
                client=client,
                body=body,
                x_tenant_id=str(tenant),
                x_user_id="alice",
                x_interaction_id=str(interaction_id),
            )

        with connect(f"http://127.0.0.1:{port}") as client:
            assert ready(client=client).status == "ready"
            answer = send()
            engine.error = errors.NotAudioError("This is a zip archive.")
            refusal = send()

    assert isinstance(answer.parsed, models.BatchResponse)
    assert (answer.parsed.tenant_id, answer.parsed.user_id) == (tenant, "alice")
    assert answer.parsed.interaction_id == UUID(answer.headers["x-interaction-id"]) == interaction_id
    assert answer.parsed.segments[0].text == "um hello"
    assert engine.heard == [b"sound", b"sound"]
    assert engine.options[0] == TranscriptionOptions(language="de", vocabulary=("Acme", "Zoë"))
    assert refusal.status_code == 415
    assert isinstance(refusal.parsed, models.Problem)
    assert refusal.parsed.type_ == "urn:batch-transcription:problem:not-audio"
    assert refusal.parsed.detail == "This is a zip archive."


def generate(url: str, folder: Path) -> None:
    """Generate a client, and fail on a warning: the generator leaves out what it warns of."""
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}  # it runs ruff
    config = folder.with_suffix(".yaml")
    config.write_text("content_type_overrides: {audio/mp4: application/octet-stream}\n", encoding="utf-8")
    command = (*GENERATE, "--config", str(config), "--url", url, "--output-path", str(folder))
    generated = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert generated.returncode == 0, generated.stdout + generated.stderr


def test_no_error_is_described_that_only_the_framework_knows(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in str(document)
