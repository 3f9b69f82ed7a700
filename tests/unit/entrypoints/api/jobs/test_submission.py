"""Submissions of jobs: uploads and URLs, their metadata, and repeated keys."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Semaphore
from typing import Any
from uuid import UUID, uuid4

import pytest
from dependency_injector import providers
from fastapi.testclient import TestClient

from adapters.scratch import ScratchFolders
from bootstrap.container import Container
from domain.model.errors import JobStoreUnavailableError, SourceRefusedError
from domain.model.jobs import StoredRecording
from domain.model.transcripts import Channels, TranscriptionOptions
from domain.services.jobs.sources import RecordingSources
from entrypoints.api.app import create_app
from ports.recording_source_port import RecordingSourcePort
from tests.support.doubles.transcription import SPOKEN, FixedTranscriber
from tests.support.harness.job_api import JobCaller, links_of
from tests.support.harness.service import container_for
from tests.unit.entrypoints.api.jobs.conftest import Service

UPLOADS = 40
"""More than the threads of asyncio, on a machine with up to 32 cores."""
SECRET_URL = "https://alice:pw@files.example.org/2026/call.wav?X-Amz-Signature=secret#t=1"


def problem(response: Any) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json", response.text
    return response.status_code, response.json()["type"].removeprefix("urn:batch-transcription:problem:")


def unavailable(*_: object) -> Any:
    """Fail as a method of a store of jobs that cannot be reached."""
    raise JobStoreUnavailableError("the database is away")


class FilesOfExample(RecordingSourcePort):
    """Source that has one recording on one host."""

    def check(self, url: str, /) -> None:
        if "example.org" not in url:
            raise SourceRefusedError("Recordings are not fetched from this host.")

    def fetch(self, url: str, target: Path, cancelled: Event, /) -> None:  # noqa: ARG002 - it takes no time
        target.write_bytes(f"fetched {url}".encode())


def with_sources(container: Container, folder: Path) -> Container:
    """Let a service fetch recordings from `FilesOfExample`."""
    sources = RecordingSources(
        container.recordings(), {"https": FilesOfExample()}, ScratchFolders(folder).folder
    )
    container.recording_sources.override(providers.Object(sources))
    return container


@pytest.fixture(scope="module")
def without_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service without a worker, which may fetch recordings and which the tests share."""
    folder = tmp_path_factory.mktemp("jobs")
    container = container_for(folder / "spool", FixedTranscriber(), JOB_WORKERS="0")
    with TestClient(create_app(with_sources(container, folder)), raise_server_exceptions=False) as api:
        yield api


def test_a_slow_store_of_recordings_delays_no_other_request(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = service(JOB_WORKERS="0")
    job, at_work, may_go_on = slow.submitted(), Semaphore(0), Event()
    store = RecordingSources.store

    def store_slowly(sources: RecordingSources, recording: Path) -> StoredRecording:
        at_work.release()
        assert may_go_on.wait(300)
        return store(sources, recording)

    monkeypatch.setattr(RecordingSources, "store", store_slowly)
    with ThreadPoolExecutor(UPLOADS) as callers:
        submitted = [callers.submit(slow.submit) for _ in range(UPLOADS)]
        for _ in range(UPLOADS):
            assert at_work.acquire(timeout=300)
        looked_at = slow.get(job["links"]["self"])
        may_go_on.set()

    assert looked_at.status_code == 200
    assert [each.result().status_code for each in submitted] == [202] * UPLOADS


def test_an_upload_is_accepted_at_once_with_the_place_of_its_job(waiting: JobCaller) -> None:
    response = waiting.submit(headers={"X-User-ID": "alice", "X-Account-ID": "acme"})

    job = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == job["links"]["self"] == f"/batch/jobs/{job['id']}"
    assert response.headers["retry-after"] == "5"
    assert UUID(job["id"]).version == 4
    assert response.headers["x-interaction-id"] == job["id"] == job["interaction_id"]
    assert (job["tenant_id"], job["user_id"], job["account_id"]) == (waiting.tenant, "alice", "acme")
    assert (job["state"], job["stage"], job["problem"], job["event"]) == ("queued", None, None, None)
    assert job["progress"] == {"done_seconds": 0.0, "total_seconds": None, "eta_seconds": None}
    assert job["recording"]["size"] == len(b"sound")
    assert job["warnings"] == []
    assert links_of(job) == {"self", "events", "cancel"}


def test_the_recording_is_transcribed_byte_for_byte_with_the_options_of_the_job(
    caller: JobCaller, engine: FixedTranscriber
) -> None:
    content = bytes(range(256)) * 20_000

    job = caller.ended(
        caller.submitted(content, path="/batch/jobs?channels=separate", data={"vocabulary": "Acme, Zoë"})
    )

    wanted = TranscriptionOptions(channels=Channels.SEPARATE, vocabulary=("Acme", "Zoë"))
    assert job["state"] == "completed"
    assert engine.heard == [content]
    assert engine.options == [wanted]
    assert job["options"] == wanted.model_dump(mode="json")
    assert job["progress"]["done_seconds"] == job["progress"]["total_seconds"] == SPOKEN.duration_seconds
    assert job["recording"]["size"] == len(content)


def test_a_full_transcriber_refuses_no_job(service: Service, tmp_path: Path) -> None:
    full = service(container_for(tmp_path / "spool", FixedTranscriber(capacity=0), JOB_WORKERS="0"))

    assert problem(full.submit(path="/batch/process")) == (503, "transcriber-busy")
    assert full.submit().status_code == 202
    assert full.submit(path="/batch/process", headers={"Prefer": "respond-async"}).status_code == 202


def test_without_disk_space_no_job_is_accepted(service: Service) -> None:
    assert problem(service(MIN_FREE_BYTES=str(2**62)).submit()) == (507, "storage-full")


def test_a_recording_over_the_limit_is_no_job(service: Service) -> None:
    caller = service(MAX_UPLOAD_BYTES="10", JOB_WORKERS="0")

    assert problem(caller.submit(b"x" * 11)) == (413, "recording-too-large")
    assert problem(caller.submit(b"")) == (400, "empty-recording")
    assert caller.get("/batch/jobs").json()["jobs"] == []


def test_nothing_of_an_accepted_upload_is_left_in_the_spool(service: Service, tmp_path: Path) -> None:
    service(JOB_WORKERS="0").submit()

    assert [path for path in (tmp_path / "spool").rglob("*") if path.is_file()] == []
    assert [path.read_bytes() for path in (tmp_path / "recordings").iterdir() if path.is_file()] == [b"sound"]


@pytest.mark.parametrize(
    ("metadata", "known"),
    [
        ('{"case": 4711, "tags": ["a", null, 1.5], "name": "Zoë"}', None),
        ("", {}),
        (" ", {}),
        ("{}", {}),
        ("null", {}),
        (json.dumps({"x": "y" * 4088}, separators=(",", ":")), None),
    ],
)
def test_metadata_is_repeated_as_it_was_sent(waiting: JobCaller, metadata: str, known: Any) -> None:
    job = waiting.submitted(data={"metadata": metadata})

    wanted = json.loads(metadata) if known is None else known
    assert job["warnings"] == []
    assert job["metadata"] == waiting.look(job)["metadata"] == wanted


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ("case 4711", "no JSON"),
        ("[1]", "no object"),
        ('"text"', "no object"),
        ('{"a": NaN}', "no JSON"),
        ('{"a": 1e999}', "cannot be written"),
        ('{"a": "\\ud800"}', "cannot be written"),
        ('{"a": ' * 40 + "1" + "}" * 40, "nested deeper"),
        ("[" * 100_000, "no JSON"),
        (json.dumps({"x": "y" * 4089}, separators=(",", ":")), "it has 4097 bytes"),
    ],
    ids=range(9),
)
def test_metadata_that_is_no_small_object_is_refused(waiting: JobCaller, metadata: str, reason: str) -> None:
    response = waiting.submit(data={"metadata": metadata})

    assert problem(response) == (400, "invalid-parameter")
    assert "'metadata'" in response.json()["detail"]
    assert reason in response.json()["detail"]


def test_metadata_is_unknown_where_there_is_no_job(caller: JobCaller) -> None:
    answer = caller.submit(path="/batch/process", data={"metadata": "{}"}).json()
    job = caller.submit(path="/batch/jobs?metadata=1", data={"note": "x"}).json()

    assert [each["code"] for each in answer["warnings"]] == ["unknown-parameter"]
    assert "'metadata'" in answer["warnings"][0]["detail"]
    assert [each["detail"].rpartition(": ")[2] for each in job["warnings"]] == ["'metadata'", "'note'"]


def test_a_job_without_a_tenant_tells_the_tenant_that_may_see_it(waiting: JobCaller) -> None:
    job = waiting.api.post("/batch/jobs", files={"file": b"sound"}).json()

    (warning,) = job["warnings"]
    assert warning["code"] == "tenant-generated"
    assert job["tenant_id"] in warning["detail"]
    assert waiting.api.get(job["links"]["self"]).status_code == 404
    assert JobCaller(waiting.api, job["tenant_id"]).look(job) == job


def test_strict_identity_refuses_a_job_without_a_tenant(service: Service) -> None:
    caller = service(IDENTITY="strict")

    assert problem(caller.api.post("/batch/jobs", files={"file": b"sound"})) == (400, "invalid-identity")
    assert problem(caller.api.get("/batch/jobs")) == (400, "invalid-identity")


def test_the_interaction_id_of_the_request_is_the_id_of_the_job_unless_it_is_taken(
    waiting: JobCaller,
) -> None:
    wanted = {"X-Interaction-ID": str(uuid4())}

    first, second = waiting.submitted(headers=wanted), waiting.submitted(headers=wanted)

    (warning,) = second["warnings"]
    assert (first["id"], first["warnings"]) == (wanted["X-Interaction-ID"], [])
    assert second["id"] != first["id"]
    assert warning["code"] == "interaction-id-replaced"
    assert second["id"] in warning["detail"]


URL = "https://files.example.org/call.wav"


@pytest.mark.parametrize(
    "other", [{"metadata": {"n": 2}}, {"language": "de"}, {"channels": "separate"}], ids=str
)
def test_another_order_of_a_url_with_a_known_interaction_id_is_another_job(
    waiting: JobCaller, other: dict[str, Any]
) -> None:
    wanted, body = {"X-Interaction-ID": str(uuid4())}, {"source": {"url": URL}, "metadata": {"n": 1}}
    first = waiting.send("POST", "/batch/jobs", json=body, headers=wanted).json()

    second = waiting.send("POST", "/batch/jobs", json=body | other, headers=wanted).json()

    assert second["id"] != first["id"]
    assert [each["code"] for each in second["warnings"]] == ["interaction-id-replaced"]


def test_a_url_that_is_ordered_again_after_the_end_of_its_job_is_another_job(waiting: JobCaller) -> None:
    wanted, body = {"X-Interaction-ID": str(uuid4())}, {"source": {"url": URL}}
    first = waiting.send("POST", "/batch/jobs", json=body, headers=wanted).json()
    waiting.send("DELETE", first["links"]["self"])

    second = waiting.send("POST", "/batch/jobs", json=body, headers=wanted).json()

    assert (second["id"] == first["id"], second["state"]) == (False, "queued")


def test_the_same_key_and_recording_is_the_same_job(caller: JobCaller, engine: FixedTranscriber) -> None:
    key = {"Idempotency-Key": "k1"}

    first = caller.submit(headers=key, data={"metadata": '{"a": 1}'})
    caller.ended(first.json())
    second = caller.submit(headers=key, data={"metadata": '{"a": 1}'})

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.headers["location"] == second.headers["location"]
    assert (second.json()["state"], second.json()["warnings"]) == ("completed", [])
    assert "retry-after" not in second.headers
    assert engine.heard == [b"sound"]
    assert len(caller.get("/batch/jobs").json()["jobs"]) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"content": b"other"},
        {"data": {"metadata": '{"a": 1}'}},
        {"data": {"channels": "separate"}},
        {"account": "two"},
    ],
    ids=str,
)
def test_the_same_key_with_other_content_is_refused(waiting: JobCaller, other: dict[str, Any]) -> None:
    waiting.submit(headers={"Idempotency-Key": "k1"})
    headers = {
        "Idempotency-Key": "k1",
        **({"X-Account-ID": other.pop("account")} if "account" in other else {}),
    }

    assert problem(waiting.submit(headers=headers, **other)) == (422, "idempotency-conflict")
    assert len(waiting.get("/batch/jobs").json()["jobs"]) == 1


def test_a_key_of_one_tenant_is_not_anothers(waiting: JobCaller) -> None:
    other = JobCaller(waiting.api)

    ids = {each.submitted(headers={"Idempotency-Key": "k1"})["id"] for each in (waiting, other)}

    assert len(ids) == 2


def test_a_key_that_cannot_be_used_is_refused_before_the_upload(waiting: JobCaller) -> None:
    assert problem(waiting.submit(headers={"Idempotency-Key": "x" * 256})) == (400, "invalid-idempotency-key")


def test_a_job_of_a_url_is_fetched_by_its_worker_and_shows_no_secret(
    service: Service, tmp_path: Path, engine: FixedTranscriber
) -> None:
    container = container_for(tmp_path / "spool", engine, JOB_WORKERS="2")
    caller = service(with_sources(container, tmp_path))
    body = {
        "source": {"url": SECRET_URL},
        "channels": "separate",
        "vocabulary": ["Acme"],
        "metadata": {"a": 1},
    }

    response = caller.send("POST", "/batch/jobs", json=body)

    job = caller.ended(response.json())
    assert response.status_code == 202
    assert (response.json()["recording"], response.json()["warnings"]) == (None, [])
    assert job["state"] == "completed"
    assert job["source"] == {"url": "https://files.example.org/2026/call.wav"}
    assert job["metadata"] == {"a": 1}
    assert engine.heard == [f"fetched {SECRET_URL}".encode()]
    assert engine.options == [TranscriptionOptions(channels=Channels.SEPARATE, vocabulary=("Acme",))]
    assert "secret" not in response.text + caller.get(job["links"]["self"]).text


def test_a_source_that_is_not_allowed_is_refused_at_once(waiting: JobCaller) -> None:
    responses = [
        waiting.send("POST", "/batch/jobs", json={"source": {"url": url}})
        for url in ("https://localhost/", "ftp://files.example.org/a", "file:///etc/passwd")
    ]

    assert [problem(response) for response in responses] == [(422, "source-refused")] * 3


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", (400, "malformed-upload")),
        (b"no JSON", (400, "malformed-upload")),
        (b"[]", (400, "malformed-upload")),
        (b"\xff\xfe", (400, "malformed-upload")),
        (b"[" * 60_000, (400, "malformed-upload")),
        (b" " * 70_000, (400, "malformed-upload")),
        (b"{}", (400, "missing-recording")),
        (b'{"source": "https://files.example.org"}', (400, "missing-recording")),
        (b'{"source": {}}', (400, "missing-recording")),
        (b'{"source": {"url": 7}}', (400, "invalid-parameter")),
        (b'{"source": {"url": ""}}', (422, "source-refused")),
        (b'{"source": {"url": "https://files.example.org/\\ud800"}}', (400, "invalid-parameter")),
        (b'{"source": {"url": "https://files.example.org/a b"}}', (400, "invalid-parameter")),
        (b'{"source": {"url": "https://[example.org"}}', (400, "invalid-parameter")),
        (b'{"source": {"url": "https://files.example.org/"}, "channels": 5}', (400, "invalid-parameter")),
        (
            b'{"source": {"url": "https://files.example.org/"}, "channels": "both"}',
            (400, "invalid-parameter"),
        ),
        *(
            (
                b'{"source": {"url": "https://files.example.org/"}, "%s": "\\ud800"}' % name,
                (400, "invalid-parameter"),
            )
            for name in (b"channels", b"tracks", b"language", b"vocabulary")
        ),
        (b'{"source": {"url": "https://files.example.org/"}, "vocabulary": [1]}', (400, "invalid-parameter")),
        (b'{"source": {"url": "https://files.example.org/"}, "vocabulary": {}}', (400, "invalid-parameter")),
        (b'{"source": {"url": "https://files.example.org/"}, "language": "EN"}', (400, "invalid-parameter")),
        (b'{"source": {"url": "https://files.example.org/"}, "metadata": []}', (400, "invalid-parameter")),
    ],
    ids=range(24),
)
def test_a_json_body_that_names_no_job_is_refused(
    waiting: JobCaller, body: bytes, answer: tuple[int, str]
) -> None:
    headers = {"Content-Type": "application/json"}

    assert problem(waiting.send("POST", "/batch/jobs", content=body, headers=headers)) == answer
    assert waiting.get("/batch/jobs").json()["jobs"] == []


def test_other_keys_of_a_json_body_are_ignored_with_a_warning_and_null_is_absent(waiting: JobCaller) -> None:
    url = "https://files.example.org/a"
    body = {
        "source": {"url": url},
        "model": "large",
        "language": None,
        "metadata": None,
        "vocabulary": "Acme, Zoë",
    }

    job = waiting.send("POST", "/batch/jobs?tracks=all", json=body).json()

    (warning,) = job["warnings"]
    assert warning["detail"].endswith(": 'model'")
    assert (job["options"]["tracks"], job["options"]["vocabulary"]) == ("all", ["Acme", "Zoë"])


@pytest.mark.parametrize("content_type", ["audio/wav", "text/plain", None])
def test_other_bodies_are_no_jobs(waiting: JobCaller, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}

    response = waiting.send("POST", "/batch/jobs", content=b"RIFF", headers=headers)

    assert problem(response) == (415, "unsupported-media-type")


def test_an_upload_cannot_be_a_job_by_json_at_process(waiting: JobCaller) -> None:
    body = {"source": {"url": "https://files.example.org/a"}}

    response = waiting.send("POST", "/batch/process", json=body, headers={"Prefer": "respond-async"})

    assert problem(response) == (415, "unsupported-media-type")


def test_a_job_that_cannot_be_stored_is_not_accepted(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = service(JOB_WORKERS="0")
    with monkeypatch.context() as outage:
        outage.setattr(waiting.container.jobs(), "add", unavailable)
        response = waiting.submit()

    assert problem(response) == (503, "job-store-unavailable")
    assert response.headers["retry-after"] == "2"
    assert [path for path in (tmp_path / "recordings").iterdir() if path.is_file()] == []
    assert waiting.submit().status_code == 202
