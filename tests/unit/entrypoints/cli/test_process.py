import json
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from tests.commands import transcripts
from tests.recordings import record, silence, tone

TENANT = "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return record(tmp_path / "call.wav", tone(6.0))


def process(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return transcripts("process", *arguments, TRANSCRIBER="canned", EVENT_TRANSPORT="memory")


def test_machines_get_the_same_answer_as_over_http(recording: Path) -> None:
    result = process(recording, "--tenant", TENANT, "--user", "alice", "--account", "acme", "--json")

    (answer,) = json.loads(result.stdout)["results"]
    assert result.returncode == 0
    assert answer["file"] == str(recording)
    assert UUID(answer["interaction_id"]).version == 4
    assert (answer["tenant_id"], answer["user_id"], answer["account_id"]) == (TENANT, "alice", "acme")
    assert answer["cleaned_transcript"]
    assert answer["duration_seconds"] == pytest.approx(6.0)
    assert answer["event"]["status"] == "published"


def test_people_get_the_text_and_the_fate_of_the_event(recording: Path) -> None:
    result = process(recording)

    assert result.returncode == 0
    assert str(recording) in result.stdout
    assert "event published" in result.stdout


def test_one_bad_file_does_not_keep_the_others_from_being_processed(recording: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.wav").write_text("this is a letter", encoding="utf-8")

    result = process(tmp_path / "letter.wav", recording, "--json")

    bad, good = json.loads(result.stdout)["results"]
    assert result.returncode == 1
    assert bad["error"]["type"] == "NotAudioError"
    assert good["event"]["status"] == "published"


def test_a_recording_without_speech_is_said_to_be_one(tmp_path: Path) -> None:
    quiet = record(tmp_path / "quiet.wav", silence(2.0))

    result = transcripts("process", quiet, EVENT_TRANSPORT="memory", TRANSCRIBER_WORKERS="1")

    assert result.returncode == 0
    assert "nobody speaks" in result.stdout


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    result = process(tmp_path / "nowhere.wav")

    assert result.returncode == 2
    assert "nowhere.wav" in result.stderr


def test_an_unusable_user_is_named(recording: Path) -> None:
    result = process(recording, "--user", "a\nb")

    assert result.returncode == 1
    assert "X-User-ID must be" in result.stderr
    assert "Traceback" not in result.stderr


def test_disabled_publishing_is_warned_about(recording: Path) -> None:
    result = transcripts("process", recording, TRANSCRIBER="canned")

    assert result.returncode == 0
    assert "event disabled" in result.stdout
    assert "event publishing is disabled" in result.stderr
    assert "no AWS credentials were found" in result.stderr
