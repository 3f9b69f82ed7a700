"""`transcripts process` with files, forms, language and vocabulary."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from dependency_injector import providers

from bootstrap.container import Container
from domain.model.errors import EventRejectedError, NotAudioError
from domain.model.transcripts import DEFAULT_OPTIONS, Segment, Transcript, TranscriptionOptions
from entrypoints.cli.views.transcript_files import TranscriptFormat
from ports.transcriber_port import Checkpoint, ProgressListener
from tests.support.doubles.transcription import FailingEventPublisher, FixedTranscriber
from tests.support.harness.processing import heard_by, process_here
from tests.support.harness.subtitles import Shown, read_subrip, read_webvtt

SUBTITLES = [Shown(250, 1500, ("um hello",)), Shown(2000, 3250, ("the the world",))]
CLEANED = "Hello. The world.\n"
Process = Callable[..., Result]


@pytest.fixture
def transcriber() -> FixedTranscriber:
    return FixedTranscriber(capacity=10)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EVENT_TRANSPORT", "memory")
    monkeypatch.setenv("TRANSCRIBER_WORKERS", "1")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch, transcriber: FixedTranscriber) -> Process:
    return lambda *arguments: process_here(monkeypatch, heard_by(transcriber), *arguments)


@pytest.fixture
def recordings(tmp_path: Path) -> Iterator[list[Path]]:
    files = [tmp_path / "calls" / name for name in ("one.wav", "two.mp3")]
    files[0].parent.mkdir()
    for file in files:
        file.write_bytes(b"sound")
    yield files
    assert [file.read_bytes() for file in files] == [b"sound"] * 2, "a recording was changed"


def read(form: str, text: str) -> object:
    """Read a transcript, and check its form."""
    match form:
        case "srt":
            return read_subrip(text)
        case "vtt":
            return read_webvtt(text)
        case "json":
            return [segment["text"] for segment in json.loads(text)["segments"]]
    return text


EXPECTED = {"txt": CLEANED, "srt": SUBTITLES, "vtt": SUBTITLES, "json": ["um hello", "the the world"]}


@pytest.mark.parametrize("form", EXPECTED)
def test_each_recording_gets_a_file_of_its_name(
    process: Process, recordings: list[Path], tmp_path: Path, form: str
) -> None:
    output = tmp_path / "new" / "folder"

    result = process(*recordings, "--format", form, "--output", output)

    written = [output / f"one.{form}", output / f"two.{form}"]
    assert result.exit_code == 0
    assert sorted(output.iterdir()) == written
    assert [read(form, file.read_text("utf-8")) for file in written] == [EXPECTED[form]] * 2
    assert all(f"written to {file}" in result.stdout for file in written)


@pytest.mark.parametrize("form", EXPECTED)
def test_a_single_transcript_goes_to_stdout_alone(
    process: Process, recordings: list[Path], form: str
) -> None:
    result = process(recordings[0], "--format", form.upper())

    assert result.exit_code == 0
    assert read(form, result.stdout) == EXPECTED[form]


def test_every_form_is_tested() -> None:
    assert set(EXPECTED) == {form.value for form in TranscriptFormat}


def test_the_files_are_text_unless_another_form_is_chosen(
    process: Process, recordings: list[Path], tmp_path: Path
) -> None:
    process(recordings[0], "--output", tmp_path)

    assert (tmp_path / "one.txt").read_text("utf-8") == CLEANED


def test_machines_learn_where_the_files_are(process: Process, recordings: list[Path], tmp_path: Path) -> None:
    result = process(*recordings, "--format", "vtt", "--output", tmp_path / "out", "--json")

    answers = json.loads(result.stdout)["results"]
    assert [answer["output"] for answer in answers] == [
        str(tmp_path / "out" / name) for name in ("one.vtt", "two.vtt")
    ]
    assert [answer["event"]["status"] for answer in answers] == ["published"] * 2


def test_a_file_that_exists_is_refused_before_anything_is_transcribed(
    process: Process, recordings: list[Path], tmp_path: Path, transcriber: FixedTranscriber
) -> None:
    (tmp_path / "two.srt").write_text("mine", "utf-8")

    result = process(*recordings, "--format", "srt", "--output", tmp_path)

    assert result.exit_code == 2
    assert f"{tmp_path / 'two.srt'} exists already; add --overwrite" in result.stderr
    assert (tmp_path / "two.srt").read_text("utf-8") == "mine"
    assert transcriber.heard == []


def test_a_file_that_exists_is_replaced_on_request(
    process: Process, recordings: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "two.srt").write_text("mine" * 1000, "utf-8")

    result = process(*recordings, "--format", "srt", "--output", tmp_path, "--overwrite")

    assert result.exit_code == 0
    assert read_subrip((tmp_path / "two.srt").read_text("utf-8")) == SUBTITLES


class MeddlingTranscriber(FixedTranscriber):
    """Transcriber during whose work another process creates a file."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    async def transcribe(
        self,
        recording: Path,
        /,
        *,
        options: TranscriptionOptions = DEFAULT_OPTIONS,
        on_progress: ProgressListener | None = None,
        checkpoint: Checkpoint | None = None,  # noqa: ARG002 - nothing is resumed
    ) -> Transcript:
        self._file.write_text("mine", "utf-8")
        return await super().transcribe(recording, options=options, on_progress=on_progress)


def test_a_file_that_appears_meanwhile_is_not_overwritten(
    recordings: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meddler = MeddlingTranscriber(tmp_path / "one.txt")

    result = process_here(monkeypatch, heard_by(meddler), recordings[0], "--output", tmp_path, "--json")

    (answer,) = json.loads(result.stdout)["results"]
    assert result.exit_code == 1
    assert answer["error"]["type"] == "TranscriptFileError"
    assert "created meanwhile" in answer["error"]["detail"]
    assert answer["cleaned_transcript"] + "\n" == CLEANED
    assert (tmp_path / "one.txt").read_text("utf-8") == "mine"


def test_two_recordings_of_one_name_are_refused(
    process: Process, recordings: list[Path], tmp_path: Path
) -> None:
    twin = recordings[0].with_suffix(".mp3")
    twin.write_bytes(b"sound")

    result = process(recordings[0], twin, "--format", "srt", "--output", tmp_path)

    assert result.exit_code == 2
    assert f"Several recordings would be written to {tmp_path / 'one.srt'}" in result.stderr


def test_a_recording_is_never_overwritten(process: Process, tmp_path: Path) -> None:
    strange = tmp_path / "recording.json"
    strange.write_bytes(b"sound")

    result = process(strange, "--format", "json", "--output", tmp_path, "--overwrite")

    assert result.exit_code == 2
    assert "would overwrite a recording" in result.stderr
    assert strange.read_bytes() == b"sound"


def test_a_folder_that_cannot_be_created_is_refused(
    process: Process, recordings: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")

    result = process(recordings[0], "--output", tmp_path / "file" / "folder")

    assert result.exit_code == 2
    assert "cannot be created" in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_a_failure_and_leaves_no_half_file(
    process: Process, recordings: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "one.txt").symlink_to("/dev/full")

    result = process(recordings[0], "--output", tmp_path, "--overwrite")

    assert result.exit_code == 1
    assert "cannot be written: No space left on device" in result.stdout.replace("\n", " ")
    assert not os.path.lexists(tmp_path / "one.txt")


def test_one_bad_recording_leaves_the_files_of_the_others(
    recordings: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Choosy(FixedTranscriber):
        async def transcribe(
            self,
            recording: Path,
            /,
            *,
            options: TranscriptionOptions = DEFAULT_OPTIONS,
            on_progress: ProgressListener | None = None,
            checkpoint: Checkpoint | None = None,  # noqa: ARG002 - nothing is resumed
        ) -> Transcript:
            if recording == recordings[0]:
                raise NotAudioError("This is a letter.")
            return await super().transcribe(recording, options=options, on_progress=on_progress)

    result = process_here(monkeypatch, heard_by(Choosy()), *recordings, "--output", tmp_path)

    assert result.exit_code == 1
    assert "NotAudioError This is a letter." in result.stdout
    assert not (tmp_path / "one.txt").exists()
    assert (tmp_path / "two.txt").read_text("utf-8") == CLEANED


def test_what_is_wrong_with_a_single_recording_is_no_transcript(
    process: Process, recordings: list[Path], transcriber: FixedTranscriber
) -> None:
    transcriber.error = NotAudioError("This is a letter.")

    result = process(recordings[0], "--format", "srt")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert isinstance(result.exception, NotAudioError)  # `main` tells it on stderr


def test_an_event_that_is_lost_is_told_beside_the_transcript(
    recordings: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(container: Container) -> None:
        container.transcriber.override(providers.Object(FixedTranscriber()))
        container.events.override(providers.Object(FailingEventPublisher(EventRejectedError("no"))))

    result = process_here(monkeypatch, fail, recordings[0], "--format", "txt")

    assert (result.exit_code, result.stdout) == (1, CLEANED)
    assert "event failed" in result.stderr


def test_a_transcript_cannot_control_a_terminal(
    recordings: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = FixedTranscriber(
        Transcript(duration_seconds=2.0, segments=(Segment(start=0.0, end=1.0, text="a\x1b[2J\x9bb"),))
    )

    for form in EXPECTED:
        result = process_here(monkeypatch, heard_by(hostile), recordings[0], "--format", form)
        assert result.exit_code == 0
        assert not {"\x1b", "\x9b"} & set(result.stdout)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--format", "srt", "--json"], "--format and --json would both print on stdout"),
        (["--overwrite"], "--overwrite is for the files of --output"),
        (["--format", "doc"], "'doc' is not one of"),
        (["--output", ""], "'' is not a path"),
        (["--language", "EN"], "'EN'; it may be the code of a language"),
        (["--vocabulary", "Acme,<b>"], "'<b>'; it may be up to 100 terms"),
        (["--vocabulary", ",".join(["Acme"] * 101)], "101 terms; it may be up to 100 terms"),
    ],
)
def test_wrong_options_are_refused(
    process: Process,
    recordings: list[Path],
    transcriber: FixedTranscriber,
    arguments: list[str],
    complaint: str,
) -> None:
    result = process(recordings[0], *arguments)

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert transcriber.heard == []


def test_several_recordings_do_not_go_to_stdout(process: Process, recordings: list[Path]) -> None:
    result = process(*recordings, "--format", "srt")

    assert result.exit_code == 2
    assert "add --output for 2 files" in result.stderr


def test_language_and_vocabulary_reach_the_engine(
    process: Process, recordings: list[Path], transcriber: FixedTranscriber
) -> None:
    process(recordings[0], "--language", "de", "--vocabulary", "Acme, Zoë", "--vocabulary", "R2D2")

    assert transcriber.options == [TranscriptionOptions(language="de", vocabulary=("Acme", "Zoë", "R2D2"))]
