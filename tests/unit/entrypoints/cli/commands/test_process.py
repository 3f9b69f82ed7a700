import asyncio
import json
import os
import subprocess
from pathlib import Path
from uuid import UUID

import pytest
from dependency_injector import providers

from bootstrap.container import Container
from domain.model.errors import EventRejectedError
from domain.model.transcripts import DEFAULT_OPTIONS, Channels, Tracks, Transcript, TranscriptionOptions
from ports.transcriber_port import Checkpoint, ProgressListener
from tests.support.doubles.transcription import FailingEventPublisher, FixedTranscriber
from tests.support.harness.cases import typical_first
from tests.support.harness.installed_command import transcripts
from tests.support.harness.processing import process_here
from tests.support.samples.recordings import record, silence, tone

pytestmark = [pytest.mark.slow, pytest.mark.process]

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
    assert "(no speech)" in result.stdout


def test_strict_identity_needs_a_tenant(recording: Path) -> None:
    result = transcripts("process", recording, IDENTITY="strict", EVENT_TRANSPORT="memory")

    assert result.returncode == 2
    assert "IDENTITY=strict needs --tenant or MOCK_TENANT_ID." in result.stderr


def test_disabled_publishing_is_warned_about(recording: Path) -> None:
    result = transcripts("process", recording, TRANSCRIBER="canned")

    assert result.returncode == 0
    assert "event disabled" in result.stdout
    assert "event publishing is disabled" in result.stderr
    assert "no AWS credentials were found" in result.stderr


class PairedTranscriber(FixedTranscriber):
    """Hears a recording only together with another one, and never three at a time."""

    def __init__(self) -> None:
        super().__init__(capacity=2)
        self._pair = asyncio.Barrier(2)

    async def transcribe(
        self,
        recording: Path,  # noqa: ARG002 - nothing is looked at
        /,
        *,
        options: TranscriptionOptions = DEFAULT_OPTIONS,  # noqa: ARG002 - the same
        on_progress: ProgressListener | None = None,  # noqa: ARG002 - the same
        checkpoint: Checkpoint | None = None,  # noqa: ARG002 - nothing is resumed
    ) -> Transcript:
        self.check_capacity()
        self._admitted += 1
        try:
            async with asyncio.timeout(60):
                await self._pair.wait()
        finally:
            self._admitted -= 1
        return Transcript(duration_seconds=1.0)


def test_as_many_files_as_there_are_workers_are_processed_at_a_time_and_told_in_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in "dcba"]
    for file in files:
        file.write_bytes(b"sound")
    monkeypatch.setenv("TRANSCRIBER_WORKERS", "2")
    monkeypatch.setenv("EVENT_TRANSPORT", "memory")

    result = process_here(
        monkeypatch,
        lambda container: container.transcriber.override(providers.Object(PairedTranscriber())),
        *files,
        "--json",
    )

    answers = json.loads(result.stdout)["results"]
    assert [Path(answer["file"]) for answer in answers] == files
    assert [answer["event"]["status"] for answer in answers] == ["published"] * 4


def test_channels_and_tracks_are_chosen_by_options(monkeypatch: pytest.MonkeyPatch, recording: Path) -> None:
    monkeypatch.setenv("EVENT_TRANSPORT", "memory")
    transcriber = FixedTranscriber()

    def replace(container: Container) -> None:
        container.transcriber.override(providers.Object(transcriber))

    assert process_here(monkeypatch, replace, recording).exit_code == 0
    assert process_here(monkeypatch, replace, recording, "--channels", "separate").exit_code == 0
    assert process_here(monkeypatch, replace, recording, "--tracks", "all").exit_code == 0
    assert process_here(monkeypatch, replace, recording, "--tracks", "both").exit_code == 2
    assert transcriber.options == [
        DEFAULT_OPTIONS,
        TranscriptionOptions(channels=Channels.SEPARATE),
        TranscriptionOptions(tracks=Tracks.ALL),
    ]


def test_one_file_may_use_all_workers(monkeypatch: pytest.MonkeyPatch, recording: Path) -> None:
    workers: list[int] = []
    monkeypatch.setenv("TRANSCRIBER_WORKERS", "8")
    monkeypatch.setenv("EVENT_TRANSPORT", "memory")

    def note(container: Container) -> None:
        workers.append(container.settings().transcriber_workers)
        container.transcriber.override(providers.Object(FixedTranscriber()))

    process_here(monkeypatch, note, recording)

    assert workers == [8]


def test_an_event_that_is_lost_is_a_failure_although_the_text_is_there(
    monkeypatch: pytest.MonkeyPatch, recording: Path
) -> None:
    def fail(container: Container) -> None:
        container.transcriber.override(providers.Object(FixedTranscriber()))
        container.events.override(providers.Object(FailingEventPublisher(EventRejectedError("no"))))

    result = process_here(monkeypatch, fail, recording)

    assert result.exit_code == 1
    assert "event failed" in result.stdout


@pytest.mark.parametrize(
    "name", typical_first(["[red]call.wav", "caf\udce9.wav", "a\x1b[2J.wav"], typical=["caf\udce9.wav"])
)
def test_file_names_are_told_as_they_are_and_steer_nothing(
    recording: Path, tmp_path: Path, name: str
) -> None:
    file = recording.rename(tmp_path / name)

    people, machines = process(file), process(file, "--json")

    (answer,) = json.loads(machines.stdout)["results"]
    assert people.returncode == machines.returncode == 0
    assert os.fsencode(answer["file"]) == os.fsencode(file)
    assert name.encode("unicode_escape").decode("ascii") in people.stdout
    assert "\x1b" not in people.stdout + people.stderr
