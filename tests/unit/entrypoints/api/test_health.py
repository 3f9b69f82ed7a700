import socket
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from domain.model.errors import JobStoreUnavailableError
from domain.model.jobs import JobCounts
from entrypoints.api.app import create_app
from ports.transcriber_port import TranscriberState
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import (
    container_for,
    exchange,
    multipart,
    post_head,
    serving,
    wait_until,
)


class StartingTranscriber(FixedTranscriber):
    """Transcriber whose engine is not loaded yet."""

    def state(self) -> TranscriberState:
        return TranscriberState(0, 2, 0, 4)


def test_a_process_that_answers_is_live(tmp_path: Path) -> None:
    with TestClient(create_app(container_for(tmp_path / "spool", StartingTranscriber()))) as api:
        response = api.get("/health/live")

    assert (response.status_code, response.json()) == (200, {"status": "live"})


def test_with_an_engine_it_is_ready_and_says_how_busy_it_is(tmp_path: Path) -> None:
    with TestClient(
        create_app(container_for(tmp_path / "spool", FixedTranscriber(), JOB_WORKERS="3"))
    ) as api:
        response = api.get("/health/ready")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "reason": None,
        "transcriber": {"ready_slots": 1, "slots": 1, "admitted": 0, "capacity": 2, "problem": None},
        "jobs": {
            "queued": 0,
            "processing": 0,
            "oldest_queued_seconds": 0.0,
            "workers": 3,
            "error": None,
        },
        "events": {"transport": "memory", "held_back": None, "outbox": None, "relay": None},
    }


class BrokenTranscriber(FixedTranscriber):
    """Transcriber whose workers cannot start."""

    def state(self) -> TranscriberState:
        return TranscriberState(
            0, 2, 0, 4, "The transcriber 'faster-whisper' could not be started. No model."
        )


@pytest.mark.parametrize(
    ("transcriber", "reason"),
    [
        (StartingTranscriber, "No transcription slot has transcribed the built-in half second of sound yet."),
        (BrokenTranscriber, "The transcriber 'faster-whisper' could not be started. No model."),
    ],
)
def test_without_a_worker_that_has_proved_itself_it_is_not_ready_and_says_why(
    tmp_path: Path, transcriber: type[FixedTranscriber], reason: str
) -> None:
    with TestClient(create_app(container_for(tmp_path / "spool", transcriber()))) as api:
        response = api.get("/health/ready")

    assert response.status_code == 503
    assert response.json()["status"] == "starting"
    assert response.json()["reason"] == reason


def test_with_all_places_taken_it_is_not_ready(tmp_path: Path) -> None:
    with TestClient(create_app(container_for(tmp_path / "spool", FixedTranscriber(capacity=0)))) as api:
        response = api.get("/health/ready")

    assert response.status_code == 503
    assert (response.json()["status"], response.json()["reason"]) == ("unavailable", "All slots are taken.")


def test_jobs_that_cannot_be_counted_show_in_the_details_and_do_not_affect_the_readiness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable() -> JobCounts:
        raise JobStoreUnavailableError("the database is away")

    container = container_for(tmp_path / "spool", FixedTranscriber(), JOB_WORKERS="0")
    with TestClient(create_app(container)) as api:
        api.post("/batch/jobs", files={"file": b"sound"})
        counted = api.get("/health/ready").json()["jobs"]
        monkeypatch.setattr(container.jobs(), "counts", unavailable)
        response = api.get("/health/ready")

    assert (counted["queued"], counted["processing"], counted["workers"]) == (1, 0, 0)
    assert counted["oldest_queued_seconds"] >= 0
    assert (response.status_code, response.json()["jobs"]["error"]) == (200, "the database is away")


def test_with_too_little_disk_space_it_is_not_ready_and_names_the_disk(tmp_path: Path) -> None:
    container = container_for(tmp_path / "spool", FixedTranscriber(), MIN_FREE_BYTES=str(2**62))
    with TestClient(create_app(container)) as api:
        response = api.get("/health/ready")

    assert response.status_code == 503
    assert "the disk of SPOOL_DIR has less than MIN_FREE_BYTES" in response.json()["reason"]


def test_a_full_disk_of_the_database_refuses_uploads_and_shows_in_the_readiness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shortage(folder: Path, _floor: int) -> str | None:
        return "no inode for another file" if folder == tmp_path else None

    monkeypatch.setattr("entrypoints.api.uploads.spool.shortage", shortage)
    with TestClient(create_app(container_for(tmp_path / "spool", FixedTranscriber()))) as api:
        readiness = api.get("/health/ready")
        refusal = api.post("/batch/process", files={"file": b"sound"})

    assert (readiness.status_code, refusal.status_code) == (503, 507)
    assert "the disk of DATABASE_URL has no inode" in readiness.json()["reason"]
    assert refusal.json()["detail"] == readiness.json()["reason"]


def test_with_as_many_uploads_as_allowed_it_is_not_ready(tmp_path: Path) -> None:
    container = container_for(tmp_path / "spool", FixedTranscriber(), MAX_CONCURRENT_UPLOADS="1")
    body = multipart(b"sound")
    with serving(container) as port, socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(post_head(len(body)) + body[:50])
        request = b"GET /health/ready HTTP/1.1\r\nHost: test\r\n\r\n"
        wait_until(lambda: exchange(port, request).startswith(b"HTTP/1.1 503"))

        assert b"1 uploads are being received already" in exchange(port, request)
