from pathlib import Path

from fastapi.testclient import TestClient

from entrypoints.api.app import create_app
from ports.transcriber_port import TranscriberState
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for


class StartingTranscriber(FixedTranscriber):
    """Transcriber whose engine is not loaded yet."""

    def state(self) -> TranscriberState:
        return TranscriberState(0, 2, 0, 4)


def test_a_process_that_answers_is_live(tmp_path: Path) -> None:
    with TestClient(create_app(container_for(tmp_path / "spool", StartingTranscriber()))) as api:
        response = api.get("/health/live")

    assert (response.status_code, response.json()) == (200, {"status": "live"})


def test_with_an_engine_it_is_ready_and_says_how_busy_it_is(tmp_path: Path) -> None:
    with TestClient(create_app(container_for(tmp_path / "spool", FixedTranscriber()))) as api:
        response = api.get("/health/ready")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "transcriber": {"ready_slots": 1, "slots": 1, "admitted": 0, "capacity": 2},
        "events": {"transport": "memory", "held_back": None, "outbox": None, "relay": None},
    }


def test_without_an_engine_it_is_not_ready(tmp_path: Path) -> None:
    with TestClient(create_app(container_for(tmp_path / "spool", StartingTranscriber()))) as api:
        response = api.get("/health/ready")

    assert response.status_code == 503
    assert response.json()["status"] == "starting"
