"""The HTTP contract of `POST /batch/process`, with a double for the engine."""

import errno
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from dependency_injector import providers
from fastapi.testclient import TestClient

from adapters.in_memory import InMemoryEventPublisher
from bootstrap.container import Container
from domain.model import errors
from domain.model.events.event import BatchProcessingCompleted
from domain.model.transcripts import (
    Channels,
    Provenance,
    Quality,
    Segment,
    Tracks,
    Transcript,
    TranscriptionOptions,
    Word,
)
from entrypoints.api.app import create_app
from tests.support.doubles.transcription import SPOKEN, FailingEventPublisher, FixedTranscriber
from tests.support.harness.service import container_for, exchange, multipart, post_head, serving, wait_until

A_UUID_V1 = "8f0e9a4c-e7d3-11f0-8054-02fc00000001"
SEPARATE_ALL = TranscriptionOptions(channels=Channels.SEPARATE, tracks=Tracks.ALL)
NAMES = TranscriptionOptions(vocabulary=("Acme", "Zürich AG"))
TENANT = str(uuid4())
Client = Callable[..., TestClient]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with ExitStack() as stack:

        def start(container: Container | None = None, **environ: str) -> TestClient:
            container = container or container_for(tmp_path / "spool", FixedTranscriber(), **environ)
            return stack.enter_context(TestClient(create_app(container), raise_server_exceptions=False))

        yield start


def upload(
    client: TestClient,
    content: bytes = b"sound",
    *,
    filename: str = "call.wav",
    headers: dict[str, str] | None = None,
) -> Any:
    return client.post("/batch/process", files={"file": (filename, content)}, headers=headers)


def published(client: TestClient) -> tuple[BatchProcessingCompleted, ...]:
    events = client.app.state.container.events()  # type: ignore[attr-defined]  # FastAPI behind an ASGI type
    assert isinstance(events, InMemoryEventPublisher)
    return events.published


def spool_of(client: TestClient) -> Path:
    folder: Path = client.app.state.container.settings().spool_dir  # type: ignore[attr-defined]  # as above
    return folder


def left_over(client: TestClient) -> list[Path]:
    return list(spool_of(client).rglob("upload-*"))


def assert_problem(response: Any, status: int, name: str) -> None:
    problem = response.json()
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert UUID(response.headers["x-interaction-id"]).version == 4
    assert problem["type"] == f"urn:batch-transcription:problem:{name}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]


def test_the_answer_has_both_transcripts_the_segments_and_the_fate_of_the_event(client: Client) -> None:
    api = client()

    response = upload(api, headers={"X-Tenant-ID": TENANT, "X-User-ID": "alice", "X-Account-ID": "acme"})

    answer, (event,) = response.json(), published(api)
    assert response.status_code == 200
    assert answer == {
        "interaction_id": str(event.interaction_id),
        "tenant_id": TENANT,
        "user_id": "alice",
        "account_id": "acme",
        "raw_transcript": SPOKEN.text,
        "cleaned_transcript": event.data.cleaned_transcript,
        "cleaner": "rules",
        "fallback_segments": 0,
        "duration_seconds": 3.5,
        "segments": [segment.model_dump() for segment in SPOKEN.segments],
        "quality": {"suspect_units": 0, "retried_units": 0, "coverage": 1.0},
        "event": {"status": "published", "event_id": answer["event"]["event_id"]},
        "warnings": [],
    }
    assert response.headers["x-interaction-id"] == answer["interaction_id"]
    assert UUID(answer["interaction_id"]).version == 4
    assert answer["event"]["event_id"]
    assert str(event.tenant_id) == TENANT


def test_the_recording_reaches_the_engine_byte_for_byte_and_is_gone_afterwards(client: Client) -> None:
    engine = FixedTranscriber()
    content = bytes(range(256)) * 20_000 + b"\r\n--almost a boundary"
    api = client(container_for(Path(client().app.state.container.settings().spool_dir), engine))  # type: ignore[attr-defined]  # as above

    assert upload(api, content).status_code == 200

    assert engine.heard == [content]
    assert left_over(api) == []


def test_identity_comes_from_the_environment_where_the_headers_say_nothing(client: Client) -> None:
    api = client(MOCK_TENANT_ID=TENANT, MOCK_USER_ID="mock")

    answer = upload(api).json()

    assert (answer["tenant_id"], answer["user_id"], answer["account_id"]) == (TENANT, "mock", None)


def test_without_any_identity_a_tenant_is_generated_and_the_user_is_system(client: Client) -> None:
    answer = upload(client()).json()

    assert UUID(answer["tenant_id"]).version == 4
    assert (answer["user_id"], answer["account_id"]) == ("system", None)


@pytest.mark.parametrize("tenant", ["acme", A_UUID_V1, "x" * 10_000])
def test_a_tenant_that_is_no_uuid_v4_is_replaced_with_a_warning(client: Client, tenant: str) -> None:
    answer = upload(client(), headers={"X-Tenant-ID": tenant}).json()

    (warning,) = answer["warnings"]
    assert UUID(answer["tenant_id"]).version == 4
    assert warning["code"] == "tenant-replaced"
    assert tenant[:60] in warning["detail"]
    assert answer["tenant_id"] != tenant


@pytest.mark.parametrize("tenant", ["acme", A_UUID_V1, None])
def test_strict_identity_refuses_a_tenant_that_is_no_uuid_v4(client: Client, tenant: str | None) -> None:
    api = client(IDENTITY="strict")

    response = upload(api, headers={} if tenant is None else {"X-Tenant-ID": tenant})

    assert_problem(response, 400, "invalid-identity")
    assert "X-Tenant-ID" in response.json()["detail"]
    assert upload(api, headers={"X-Tenant-ID": TENANT}).json()["tenant_id"] == TENANT
    assert len(published(api)) == 1


def test_strict_identity_takes_the_tenant_of_the_environment(client: Client) -> None:
    assert upload(client(IDENTITY="strict", MOCK_TENANT_ID=TENANT)).json()["tenant_id"] == TENANT


def test_a_uuid_v4_that_is_sent_as_interaction_id_is_the_one_of_answer_event_and_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    api, interaction_id = client(), str(uuid4())

    response = upload(api, headers={"X-Interaction-ID": interaction_id.upper()})

    (event,) = published(api)
    assert response.headers["x-interaction-id"] == response.json()["interaction_id"] == interaction_id
    assert str(event.interaction_id) == interaction_id
    assert response.json()["warnings"] == []
    completed = [record for record in caplog.records if record.message == "batch processing completed"]
    assert [vars(record)["interaction_id"] for record in completed] == [interaction_id]


@pytest.mark.parametrize(
    "sent", [["order 66"], [A_UUID_V1], ["x" * 10_000], [str(uuid4()), str(uuid4())], [f"{{{uuid4()}}}"]]
)
def test_an_interaction_id_that_is_no_uuid_v4_is_replaced_with_a_warning(
    client: Client, sent: list[str]
) -> None:
    response = client().post(
        "/batch/process", files={"file": b"a"}, headers=[("X-Interaction-ID", value) for value in sent]
    )

    (warning,) = response.json()["warnings"]
    interaction_id = response.json()["interaction_id"]
    assert response.headers["x-interaction-id"] == interaction_id
    assert UUID(interaction_id).version == 4
    assert warning["code"] == "interaction-id-replaced"
    assert sent[0][:30] in warning["detail"]
    assert interaction_id in warning["detail"]


def test_a_blank_interaction_id_counts_as_absent(client: Client) -> None:
    assert upload(client(), headers={"X-Interaction-ID": " "}).json()["warnings"] == []


def test_a_second_recording_with_an_interaction_id_gets_its_own_id_and_event(client: Client) -> None:
    api, headers = client(), {"X-Interaction-ID": str(uuid4())}

    first = upload(api, b"first", headers=headers).json()
    second = upload(api, b"second", headers=headers).json()

    (warning,) = second["warnings"]
    assert warning["code"] == "interaction-id-replaced"
    assert first["interaction_id"] in warning["detail"]
    assert second["interaction_id"] in warning["detail"]
    assert second["event"]["status"] == "published"
    ids = [str(event.interaction_id) for event in published(api)]
    assert ids == [first["interaction_id"], second["interaction_id"]]
    assert len(set(ids)) == 2


@pytest.mark.parametrize("header", ["X-User-ID", "X-Account-ID"])
@pytest.mark.parametrize("value", ["x" * 257, "tab\tinside"])
def test_an_unusable_user_or_account_is_refused_by_name(client: Client, header: str, value: str) -> None:
    response = upload(client(), headers={header: value})

    assert_problem(response, 400, "invalid-identity")
    assert header in response.json()["detail"]


def test_an_identity_header_given_twice_is_refused(client: Client) -> None:
    response = client().post(
        "/batch/process",
        files={"file": b"a"},
        headers=[("X-Tenant-ID", TENANT), ("X-Tenant-ID", str(uuid4()))],
    )

    assert_problem(response, 400, "invalid-identity")


def test_names_in_utf_8_arrive_as_they_were_sent(client: Client) -> None:
    response = client().post(
        "/batch/process", files={"file": b"a"}, headers=[(b"X-User-ID", "José".encode())]
    )

    assert response.json()["user_id"] == "José"


def test_a_recording_without_speech_is_an_answer(client: Client, tmp_path: Path) -> None:
    api = client(container_for(tmp_path / "spool", FixedTranscriber(Transcript(duration_seconds=2.0))))

    answer = upload(api).json()

    assert (answer["raw_transcript"], answer["cleaned_transcript"], answer["segments"]) == ("", "", [])
    assert answer["event"]["status"] == "published"
    assert len(published(api)) == 1


@pytest.mark.parametrize(
    "error", [errors.EventBusUnavailableError("away"), errors.EventRejectedError("no"), RuntimeError("bug")]
)
def test_a_failing_bus_shows_in_the_status_and_nowhere_else(
    client: Client, tmp_path: Path, error: Exception
) -> None:
    container = container_for(tmp_path / "spool", FixedTranscriber())
    container.events.override(providers.Object(FailingEventPublisher(error)))

    response = upload(client(container))

    assert response.status_code == 200
    assert response.json()["cleaned_transcript"]
    assert response.json()["event"] == {"status": "failed", "event_id": None}


def test_disabled_publishing_shows_in_the_status(client: Client) -> None:
    answer = upload(client(EVENT_TRANSPORT="noop")).json()

    assert answer["event"] == {"status": "disabled", "event_id": None}


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (errors.NotAudioError("a zip"), 415, "not-audio"),
        (errors.UnsupportedFormatError("a DSS dictation"), 415, "unsupported-format"),
        (errors.UndecodableAudioError("broken"), 422, "undecodable-audio"),
        (errors.AudioTooLongError("days"), 422, "audio-too-long"),
        (errors.UnsupportedOptionError("knows no Welsh"), 422, "unsupported-option"),
        (errors.TranscriptionTooCostlyError("noise"), 422, "transcription-too-costly"),
        (errors.TranscriberCrashedError("killed by SIGSEGV"), 500, "transcriber-crashed"),
        (errors.TranscriberStalledError("no progress"), 500, "transcriber-stalled"),
        (errors.TranscriberUnavailableError("no model"), 500, "transcriber-unavailable"),
        (errors.TranscriptionFailedError("the job failed"), 502, "transcription-failed"),
    ],
)
def test_what_the_engine_says_becomes_a_problem(
    client: Client, tmp_path: Path, error: Exception, status: int, name: str
) -> None:
    api = client(container_for(tmp_path / "spool", FixedTranscriber(error=error)))

    response = upload(api)

    assert_problem(response, status, name)
    assert response.json()["detail"] == str(error)
    assert published(api) == ()
    assert left_over(api) == []


def test_a_defect_is_a_problem_that_gives_nothing_away(
    client: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    api = client(
        container_for(tmp_path / "spool", FixedTranscriber(error=ZeroDivisionError("secret detail")))
    )

    response = upload(api)

    assert_problem(response, 500, "internal-error")
    assert "secret detail" not in response.text
    assert "secret detail" in caplog.text
    assert left_over(api) == []


def test_when_everything_is_taken_the_caller_learns_when_to_come_back(client: Client, tmp_path: Path) -> None:
    response = upload(client(container_for(tmp_path / "spool", FixedTranscriber(capacity=0))))

    assert_problem(response, 503, "transcriber-busy")
    assert response.headers["retry-after"] == "7"


def test_with_less_room_than_the_floor_uploads_are_refused(client: Client) -> None:
    api = client(MIN_FREE_BYTES=str(2**62))

    assert_problem(upload(api), 507, "storage-full")
    assert left_over(api) == []


def test_more_uploads_than_allowed_are_refused(tmp_path: Path) -> None:
    container = container_for(tmp_path / "spool", FixedTranscriber(), MAX_CONCURRENT_UPLOADS="1")
    body = multipart(b"sound")
    answers: list[bytes] = []

    def is_refused() -> bool:
        answers.append(exchange(port, post_head(len(body)), body))
        return b"too-many-uploads" in answers[-1]

    with serving(container) as port, socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(post_head(len(body)) + body[:50])
        wait_until(is_refused)

    assert answers[-1].startswith(b"HTTP/1.1 503")
    assert b"retry-after: " in answers[-1].lower()


def test_no_file_is_a_problem(client: Client) -> None:
    response = client().post("/batch/process", files={"recording": b"sound"})

    assert_problem(response, 400, "missing-recording")
    assert "'file'" in response.json()["detail"]


def test_an_empty_file_is_a_problem(client: Client) -> None:
    assert_problem(upload(client(), b""), 400, "empty-recording")


def test_two_files_are_a_problem(client: Client) -> None:
    response = client().post("/batch/process", files=[("file", b"one"), ("file", b"two")])

    assert_problem(response, 400, "malformed-upload")


def test_unknown_fields_and_query_parameters_are_ignored_and_named_in_the_warnings(client: Client) -> None:
    response = client().post(
        "/batch/process?speakers=2&file=x",
        data={"model": "large", "note": ["x" * 1000, "y"]},
        files={"file": b"sound"},
    )

    query, form = response.json()["warnings"]
    assert response.status_code == 200
    assert (query["code"], form["code"]) == ("unknown-parameter", "unknown-parameter")
    assert query["detail"].endswith(": 'speakers', 'file'")
    assert form["detail"].endswith(": 'model', 'note'")
    assert "known: file" in form["detail"]
    assert "xxx" not in form["detail"]


@pytest.mark.parametrize(
    ("query", "form", "options"),
    [
        ("", {}, TranscriptionOptions()),
        ("?channels=separate", {}, TranscriptionOptions(channels=Channels.SEPARATE)),
        ("", {"tracks": "all"}, TranscriptionOptions(tracks=Tracks.ALL)),
        ("?channels=mixed&tracks=all", {"channels": "separate"}, SEPARATE_ALL),
        ("?language=de", {}, TranscriptionOptions(language="de")),
        ("?language=de", {"language": "cy"}, TranscriptionOptions(language="cy")),
        ("?vocabulary=Acme,%20Z%C3%BCrich%20AG", {}, NAMES),
        ("?vocabulary=Acme&vocabulary=Z%C3%BCrich%20AG", {}, NAMES),
        ("?vocabulary=other", {"vocabulary": ["Acme", "Zürich AG"]}, NAMES),
        ("", {"vocabulary": " Acme ,, Zürich AG, "}, NAMES),
        ("?vocabulary=other", {"vocabulary": ""}, TranscriptionOptions()),
    ],
    ids=str,
)
def test_options_are_chosen_by_form_field_or_query_parameter(
    query: str, form: dict[str, Any], options: TranscriptionOptions, client: Client, tmp_path: Path
) -> None:
    transcriber = FixedTranscriber()
    api = client(container_for(tmp_path / "spool", transcriber))

    response = api.post(f"/batch/process{query}", data=form, files={"file": b"sound"})

    assert response.json()["warnings"] == []
    assert transcriber.options == [options]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("channels", "both"),
        ("tracks", ""),
        ("tracks", "2" * 500),
        ("language", ""),
        ("language", "EN"),
        ("language", "english" * 100),
        ("vocabulary", "Acme, <b>"),
        ("vocabulary", "x" * 65),
        ("vocabulary", ",".join(["Acme"] * 101)),
    ],
)
def test_a_parameter_with_another_value_is_refused_with_those_it_has(
    name: str, value: str, client: Client
) -> None:
    response = client().post("/batch/process", data={name: value}, files={"file": b"sound"})

    assert_problem(response, 400, "invalid-parameter")
    assert name in response.json()["detail"]
    assert "it may be" in response.json()["detail"]
    assert len(response.json()["detail"]) < 200


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("Acme, <b>", "The parameter 'vocabulary' cannot be '<b>'; it may be up to 100 terms"),
        (
            ",".join(["Acme"] * 101),
            "The parameter 'vocabulary' cannot be 101 terms; it may be up to 100 terms",
        ),
    ],
)
def test_a_vocabulary_is_refused_for_the_term_that_is_wrong(client: Client, value: str, detail: str) -> None:
    response = client().post("/batch/process", data={"vocabulary": value}, files={"file": b"sound"})

    assert response.json()["detail"].startswith(detail)


def test_segments_have_a_channel_and_a_track_where_the_caller_asked_for_them(
    client: Client, tmp_path: Path
) -> None:
    plain = Segment(start=0.0, end=1.0, text="hello")
    numbered = Segment(start=0.5, end=1.5, text="hello", track=1, channel=2)
    transcript = Transcript(duration_seconds=2.0, segments=(plain, numbered))

    answer = upload(client(container_for(tmp_path / "spool", FixedTranscriber(transcript)))).json()

    assert answer["segments"] == [
        {"start": 0.0, "end": 1.0, "text": "hello"},
        {"start": 0.5, "end": 1.5, "text": "hello", "track": 1, "channel": 2},
    ]


def test_words_speakers_and_doubts_are_told_where_the_engine_tells_them(
    client: Client, tmp_path: Path
) -> None:
    words = (Word(start=0.0, end=0.5, text="hello", confidence=0.75), Word(start=0.5, end=1.0, text="you"))
    transcript = Transcript(
        duration_seconds=2.0,
        segments=(
            Segment(start=0.0, end=1.0, text="hello you", words=words, speaker="A"),
            Segment(start=1.0, end=2.0, text="you", is_doubtful=True),
        ),
        provenance=Provenance(
            engine="faster-whisper", model="tiny", language="en", language_probability=0.98
        ),
        quality=Quality(suspect_units=1, retried_units=2, coverage=0.5),
    )

    answer = upload(client(container_for(tmp_path / "spool", FixedTranscriber(transcript)))).json()

    assert answer["segments"] == [
        {
            "start": 0.0,
            "end": 1.0,
            "text": "hello you",
            "words": [
                {"start": 0.0, "end": 0.5, "text": "hello", "confidence": 0.75},
                {"start": 0.5, "end": 1.0, "text": "you"},
            ],
            "speaker": "A",
        },
        {"start": 1.0, "end": 2.0, "text": "you", "is_doubtful": True},
    ]
    assert (answer["engine"], answer["model"]) == ("faster-whisper", "tiny")
    assert (answer["language"], answer["language_probability"]) == ("en", 0.98)
    assert answer["quality"] == {"suspect_units": 1, "retried_units": 2, "coverage": 0.5}


def test_what_is_not_known_is_absent(client: Client) -> None:
    answer = upload(client()).json()

    assert {"engine", "model", "language", "language_probability"}.isdisjoint(answer)
    assert [set(segment) for segment in answer["segments"]] == [{"start", "end", "text"}] * 2


def test_a_form_full_of_other_things_is_refused(client: Client) -> None:
    response = client().post("/batch/process", data={"note": "x" * 2**21}, files={"file": b"sound"})

    assert_problem(response, 400, "malformed-upload")


@pytest.mark.parametrize(
    "request_",
    [
        {"json": {"file": "sound"}},
        {"data": {"file": "sound"}},
        {"content": b"sound", "headers": {"Content-Type": "audio/wav"}},
        {"content": b"sound"},
        {},
    ],
)
def test_a_body_that_is_no_form_upload_is_refused(client: Client, request_: dict[str, Any]) -> None:
    assert_problem(client().post("/batch/process", **request_), 415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=" + "b" * 71, b""),
        ("multipart/form-data; boundary=x", b"no boundary at all"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nsou'),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A: b\r\n" * 1000),
        ("multipart/form-data; boundary=x", b"--x\r\nA: " + b"b" * 100_000),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(client: Client, content_type: str, body: bytes) -> None:
    api = client()

    response = api.post("/batch/process", content=body, headers={"Content-Type": content_type})

    assert_problem(response, 400, "malformed-upload")
    assert left_over(api) == []


def test_a_recording_over_the_limit_is_refused(client: Client) -> None:
    api = client(MAX_UPLOAD_BYTES="1000")

    assert upload(api, b"x" * 1000).status_code == 200
    assert_problem(upload(api, b"x" * 1001), 413, "recording-too-large")
    assert_problem(upload(api, b"x" * 5_000_000), 413, "recording-too-large")
    assert left_over(api) == []


@pytest.mark.parametrize(
    "filename",
    ["../../etc/passwd", "/etc/cron.d/x", "a\x1b[2Jb.wav", "con.wav", "x" * 2000, "", "ü.wav", "a;b"],
)
def test_file_names_are_never_used(client: Client, filename: str, caplog: pytest.LogCaptureFixture) -> None:
    api = client()

    response = upload(api, filename=filename or "a")

    assert response.status_code == 200
    assert left_over(api) == []
    assert "\x1b[2J" not in caplog.text


def test_a_full_disk_is_a_problem(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    api = client()
    open_file = Path.open

    def on_a_full_disk(path: Path, mode: str = "r", **options: Any) -> Any:
        if mode == "xb":
            raise OSError(errno.ENOSPC, "No space left on device")
        return open_file(path, mode, **options)

    monkeypatch.setattr(Path, "open", on_a_full_disk)

    assert_problem(upload(api), 507, "storage-full")
    assert left_over(api) == []


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [("GET", "/nowhere", 404, "not-found"), ("GET", "/batch/process", 405, "method-not-allowed")],
)
def test_the_frameworks_own_errors_are_problems_too(
    client: Client, method: str, path: str, status: int, name: str
) -> None:
    assert_problem(client().request(method, path), status, name)


def test_every_error_of_the_tree_that_a_request_can_meet_has_a_problem() -> None:
    from entrypoints.api.problems import PROBLEMS  # noqa: PLC0415 - only here

    def leaves(error: type[Exception]) -> set[type[Exception]]:
        below = error.__subclasses__()
        return {error} if not below else set().union(*map(leaves, below))

    concrete = (
        leaves(errors.RecordingError)
        | leaves(errors.TranscriptionError)
        | leaves(errors.JobError)
        | {
            errors.InvalidIdentityError,
            errors.JobStoreUnavailableError,
            errors.RecordingStoreUnavailableError,
        }
    )
    assert concrete <= PROBLEMS.keys()


def test_the_documentation_describes_the_upload_its_headers_and_its_problems(client: Client) -> None:
    api = client()
    operation = api.get("/openapi.json").json()["paths"]["/batch/process"]["post"]

    assert api.get("/docs").status_code == 200
    assert operation["requestBody"]["content"]["multipart/form-data"]["schema"]["required"] == ["file"]
    assert {parameter["name"] for parameter in operation["parameters"]} == {
        "X-Tenant-ID",
        "X-User-ID",
        "X-Account-ID",
        "X-Interaction-ID",
        "Idempotency-Key",
        "Prefer",
        "channels",
        "tracks",
        "language",
        "vocabulary",
    }
    assert {"200", "400", "413", "415", "422", "500", "503"} <= operation["responses"].keys()
    assert "application/problem+json" in operation["responses"]["413"]["content"]
