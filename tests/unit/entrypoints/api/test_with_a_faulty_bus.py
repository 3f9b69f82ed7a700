"""The whole service with its real transport, against all failures of a bus."""

import io
import json
import logging
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from bootstrap.logs import configure_logging
from bootstrap.settings import Settings
from domain.model.errors import OutboxUnavailableError
from domain.model.transcripts import Segment, Transcript
from entrypoints.api.app import create_app
from tests.support.doubles.bus_faults import EXPIRED_TOKEN, INTERNAL_ERROR, Cut, Fault, Garbage, Refusal
from tests.support.doubles.stub_bus import StubBus
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for, wait_until

pytestmark = pytest.mark.slow

ACCESS_KEY = "ASIAIOSFODNN7EXAMPLE"  # temporary, as it comes with a session token
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SESSION_TOKEN = "FwoGZXIvYXdzEXAMPLETOKEN//////////wEaD"
CALLERS_TOKEN = "eyJhbGciOiJIUzI1NiJ9.callers.token"
SPOKEN_SECRET = "the merger is on friday"
SECRETS = (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, CALLERS_TOKEN, SPOKEN_SECRET, SPOKEN_SECRET.capitalize())

FAULTS: list[Fault] = [
    Refusal("InternalFailure", f"failed for {SECRET_KEY}"),
    EXPIRED_TOKEN,
    Garbage(b"<html>a proxy speaks</html>"),
    Cut.RESET,
    Cut.HANG,
]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION_TOKEN)


def client_of(tmp_path: Path, bus_url: str, engine: FixedTranscriber | None = None) -> TestClient:
    transcript = Transcript(duration_seconds=3.0, segments=(Segment(start=0.5, end=2.5, text=SPOKEN_SECRET),))
    environ = {"EVENT_TRANSPORT": "eventbridge", "AWS_ENDPOINT_URL": bus_url, "AWS_REGION": "us-east-1"}
    container = container_for(
        tmp_path / "spool", engine or FixedTranscriber(transcript), **environ, PUBLISH_TIMEOUT_SECONDS="1"
    )
    return TestClient(create_app(container), raise_server_exceptions=False)


def logged(**environ: str) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(Settings.from_env({"LOG_LEVEL": "DEBUG", **environ}), stream=stream)
    logging.getLogger("httpx2").setLevel(logging.ERROR)  # the caller's own log, in this process by accident
    return stream


def upload(client: TestClient, **more: str) -> Any:
    breaker = client.app.state.container.breaker()  # type: ignore[attr-defined]  # FastAPI behind an ASGI type
    wait_until(lambda: breaker.held is None)  # the relay has looked at the route
    headers = {"X-User-ID": "alice", "Authorization": f"Bearer {CALLERS_TOKEN}", **more}
    return client.post(f"/batch/process?token={CALLERS_TOKEN}", files={"file": b"sound"}, headers=headers)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_faulty_bus_neither_delays_the_transcripts_nor_puts_secrets_into_the_log(
    tmp_path: Path, fault: Fault
) -> None:
    stream = logged()
    with StubBus() as bus, client_of(tmp_path, bus.url) as client:
        upload(client)
        bus.fail_always(fault)
        response = upload(client)

    answer = response.json()
    assert response.status_code == 200
    assert answer["raw_transcript"] == SPOKEN_SECRET
    assert answer["event"] == {"status": "queued", "event_id": None}
    failure, *_ = [
        line
        for line in lines(stream)
        if line["event"].startswith("event publishing failed")
        and line["interaction_id"] == answer["interaction_id"]
    ]
    assert failure["level"] == "error"
    assert failure["error_type"]
    assert "Traceback" in failure["exception"]
    assert ("TimeoutError" if fault is Cut.HANG else "eventbridge/publisher.py") in failure["exception"]
    assert [secret for secret in SECRETS if secret in stream.getvalue()] == []


def test_two_recordings_with_one_interaction_id_are_two_events_while_the_bus_is_away(tmp_path: Path) -> None:
    interaction = {"X-Interaction-ID": str(uuid4())}
    with StubBus() as bus, client_of(tmp_path, bus.url) as client:
        bus.fail_always(Cut.RESET)
        first, second = (upload(client, **interaction).json() for _ in range(2))
        outbox = client.app.state.container.outbox()  # type: ignore[attr-defined]  # FastAPI behind an ASGI type
        records = {str(record.interaction_id) for record in outbox.records()}

    assert first["interaction_id"] == interaction["X-Interaction-ID"]
    assert first["event"]["status"] == second["event"]["status"] == "queued"
    assert records == {first["interaction_id"], second["interaction_id"]}
    assert len(records) == 2
    assert "interaction-id-replaced" in {warning["code"] for warning in second["warnings"]}


def test_an_outage_of_bus_and_outbox_logs_one_trace_for_each_event_that_is_lost(tmp_path: Path) -> None:
    with StubBus() as bus, client_of(tmp_path, bus.url) as client:
        upload(client)
        bus.fail_always(INTERNAL_ERROR)
        database = client.app.state.container.database()  # type: ignore[attr-defined]  # FastAPI behind an ASGI type
        stream = logged()
        with database.writing(OutboxUnavailableError) as connection:
            connection.exec_driver_sql("ALTER TABLE outbox RENAME TO elsewhere")
        answers = [upload(client).json() for _ in range(3)]

    traces = [line for line in lines(stream) if "exception" in line and "interaction_id" in line]
    assert [answer["event"]["status"] for answer in answers] == ["failed"] * 3
    assert [line["event"] for line in traces] == ["event publishing failed"] * 3


def test_an_event_that_the_bus_rejects_is_answered_as_failed_and_parked(tmp_path: Path) -> None:
    stream = logged()
    with StubBus() as bus, client_of(tmp_path, bus.url) as client:
        bus.fail_always(Refusal("MalformedDetail", SPOKEN_SECRET))
        response = upload(client)
        outbox = client.app.state.container.outbox()  # type: ignore[attr-defined]  # FastAPI behind an ASGI type
        wait_until(lambda: outbox.counts().rejected == 1)  # recorded after the answer
        assert outbox.counts().waiting == 0

    assert response.json()["event"] == {"status": "failed", "event_id": None}
    assert [secret for secret in SECRETS if secret in stream.getvalue()] == []


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_failures_before_the_event_keep_every_secret_too(tmp_path: Path, log_format: str) -> None:
    stream = logged(LOG_FORMAT=log_format)
    error = RuntimeError(f"a defect with {SECRET_KEY} in it, and Bearer {CALLERS_TOKEN}")
    with StubBus() as bus, client_of(tmp_path, bus.url, FixedTranscriber(error=error)) as client:
        response = upload(client)

    assert response.status_code == 500
    assert stream.getvalue()
    assert [secret for secret in SECRETS if secret in stream.getvalue()] == []


def test_every_line_of_a_request_carries_its_interaction(tmp_path: Path) -> None:
    with StubBus() as bus, client_of(tmp_path, bus.url) as client:
        stream = logged()
        interaction_id = upload(client).json()["interaction_id"]

        ours = [
            line for line in lines(stream) if line["logger"].startswith(("domain", "entrypoints", "adapters"))
        ]
    assert {line["interaction_id"] for line in ours} == {interaction_id}
    assert [line["event"] for line in ours] == [
        "identity resolved",
        "event published",
        "batch processing completed",
        "request answered",
    ]
    assert all(line["timestamp"] for line in ours)
