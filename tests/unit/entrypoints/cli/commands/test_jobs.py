"""`transcripts jobs`: what it stores, shows and changes, and its exit codes."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from adapters.sql.database import Database
from adapters.sql.engines.factory import engine_for
from adapters.sql.jobs.jobs import SqlJobs
from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.factories.database import prepare_database
from domain.model.events.event import BatchProcessingCompleted
from domain.model.events.failed import FailureData
from domain.model.identity import Identity
from domain.model.jobs import (
    Job,
    JobLease,
    JobOrder,
    JobProgress,
    JobResult,
    JobStage,
    JobState,
    StoredRecording,
)
from domain.model.outbox import Published
from domain.model.transcripts import Channels
from tests.support.doubles.transcription import SPOKEN
from tests.support.harness.command_line import Caller, Told
from tests.support.harness.leases import lease_of
from tests.support.samples.factories import an_event

TENANT = UUID("3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11")
OTHER = UUID("c0ffee00-6f0b-4c57-9c55-0d9b1c7f2a11")
STEERING = "\x1b[2J\u202e[red]evil\r\n"
PROBLEM = FailureData(reason="undecodable-audio", detail="Bytes are missing.", retryable=False)
RESULT = JobResult(transcript=SPOKEN, cleaned_text="Hello. The world.", cleaner="rules")


class Office(NamedTuple):
    """Jobs in a database, and what the command answers about them."""

    jobs: SqlJobs
    outbox: SqlOutbox
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def add(self, tenant_id: UUID = TENANT, *, url: str | None = None, **metadata: str) -> Job:
        recording = StoredRecording(uuid4().hex, "0f" * 32, 5)
        order = JobOrder(
            uuid4(),
            Identity(tenant_id, "alice", None),
            "cpu",
            recording=None if url else recording,
            source_url=url,
            metadata=metadata,
        )
        return self.jobs.add(order)

    def lease(self, job: Job) -> JobLease:
        return lease_of(self.jobs, job.id, "cpu")

    def complete(self, job: Job, event: BatchProcessingCompleted | None = None) -> Job:
        assert self.jobs.complete(self.lease(job), RESULT, event)
        return self.read(job)

    def fail(self, job: Job) -> Job:
        assert self.jobs.fail(self.lease(job), PROBLEM, None)
        return self.read(job)

    def read(self, job: Job) -> Job:
        found = self.jobs.find(job.id)
        assert found
        return found

    def run(self, *arguments: object) -> Told:
        return Caller(self.capsys)("jobs", *map(str, arguments))

    def told(self, *arguments: object) -> dict[str, Any]:
        return self.run(*arguments, "--json").answer


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("empty") / "transcripts.db"
    prepare_database(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def office(
    empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Office]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("EVENT_TRANSPORT", "noop")
    (tmp_path / "var").mkdir(mode=0o700)
    shutil.copy(empty_database, tmp_path / "var")
    database = Database(engine_for(f"sqlite:///{tmp_path}/var/transcripts.db"))
    yield Office(SqlJobs(database), SqlOutbox(database), tmp_path / "var", capsys)
    database.close()


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "call.wav"
    file.write_bytes(b"sound")
    yield file
    assert file.read_bytes() == b"sound", "the recording was changed or moved"


def stored_in(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in (folder / "recordings").glob("*")]


def test_a_recording_is_queued_and_its_file_stays(office: Office, recording: Path) -> None:
    told = office.run("submit", recording, "--tenant", TENANT, "--user", "alice", "--channels", "separate")

    job = office.jobs.find(UUID(told.out.split()[0]))
    assert job
    assert told.code == 0
    assert told.out == f"{job.id}  queued  call.wav  (transcripts jobs watch {job.id})\n"
    assert job.order.identity == Identity(TENANT, "alice", None)
    assert job.order.options.channels is Channels.SEPARATE
    assert job.order.metadata == {"file": "call.wav"}
    assert stored_in(office.folder) == [b"sound"]
    assert list((office.folder / "submitted").iterdir()) == []


def test_a_file_that_is_linked_twice_is_copied_and_not_shared(
    office: Office, recording: Path, tmp_path: Path
) -> None:
    (tmp_path / "link.wav").symlink_to(recording)

    office.told("submit", tmp_path / "link.wav")
    recording.write_bytes(b"later")

    assert stored_in(office.folder) == [b"sound"]
    recording.write_bytes(b"sound")


def test_submitting_makes_the_database(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "new"))

    assert Caller(capsys)("jobs", "submit", str(recording)).code == 0
    assert (tmp_path / "new" / "transcripts.db").exists()


@pytest.mark.parametrize(
    "arguments", [("list",), ("show", uuid4()), ("cancel", uuid4()), ("export", uuid4())]
)
def test_other_commands_make_no_database(
    arguments: tuple[object, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "new"))

    told = Caller(capsys)("jobs", *map(str, arguments))

    assert told.code == 2
    assert "No such file or directory" in told.err
    assert not (tmp_path / "new").exists()


def test_metadata_is_kept_and_may_name_the_file(office: Office, recording: Path) -> None:
    given = '{"meeting": 42, "tags": ["a", null]}'

    (added,) = office.told("submit", recording, "--metadata", given)["jobs"]
    (named,) = office.told("submit", recording, "--metadata", '{"file": "board.ogg"}')["jobs"]

    assert added["metadata"] == {"file": "call.wav", "meeting": 42, "tags": ["a", None]}
    assert named["metadata"] == {"file": "board.ogg"}


@pytest.mark.parametrize(
    "given",
    [
        "[]",
        "{",
        '{"a": NaN}',
        '{"a": 1e400}',
        '"x"',
        f'{{"a": {33 * "["}{33 * "]"}}}',
        f'{{"a": {1500 * "["}{1500 * "]"}}}',
        '{"a": "\\ud800"}',
        f'{{"a": "{4096 * "x"}"}}',
    ],
)
def test_other_metadata_is_a_wrong_call(office: Office, recording: Path, given: str) -> None:
    told = office.run("submit", recording, "--metadata", given)

    assert told.code == 2
    assert "--metadata" in told.err
    assert not (office.folder / "recordings").exists()


def test_one_key_gives_one_job(office: Office, recording: Path) -> None:
    call = ("submit", recording, "--tenant", TENANT, "--idempotency-key", "call-42")

    (first,), (second,) = office.told(*call)["jobs"], office.told(*call)["jobs"]
    recording.write_bytes(b"other sound")
    conflict = office.run(*call)
    recording.write_bytes(b"sound")

    assert first["id"] == second["id"]
    assert conflict.code == 1
    assert "This idempotency key was used with another recording" in conflict.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("call.wav", "call.wav", "--idempotency-key", "a"), "for one recording, not for 2"),
        (("call.wav", "--idempotency-key", ""), "printable"),
        (("call.wav", "--tenant", "acme"), "'acme' is no UUID v4"),
        (("call.wav", "--language", "English"), "--language"),
        (("nowhere.wav",), "'nowhere.wav' does not exist"),
        (("",), "'' is not a path"),
        (("/",), "is a directory"),
    ],
)
def test_what_cannot_be_meant_is_a_wrong_call(
    office: Office, recording: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    assert recording.exists()
    told = office.run("submit", *arguments)

    assert told.code == 2
    assert complaint in told.err


def test_one_bad_recording_does_not_keep_the_others(office: Office, recording: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()

    told = office.run("submit", tmp_path / "empty.wav", "gopher://a:secret@host/x?token=secret", recording)

    assert told.code == 1
    assert told.out.endswith("  queued  call.wav  " + told.out[told.out.index("(") :])
    assert "empty.wav: The recording has no bytes." in told.err
    assert "gopher://host/x: A recording cannot be fetched" in told.err
    assert "secret" not in told.out + told.err


def test_where_no_worker_runs_a_line_says_so(
    office: Office, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_WORKERS", "0")
    alone = office.run("submit", recording)
    office.lease(office.add())
    accompanied = office.run("submit", recording)

    assert alone.code == accompanied.code == 0
    assert "No worker seems to run" in alone.err
    assert accompanied.err == ""


def test_a_list_tells_state_progress_and_name_of_all_tenants(office: Office) -> None:
    waiting = office.add(file="call.wav")
    working = office.lease(office.add(OTHER, url="https://user:pass@host/talk.ogg?sig=x"))
    office.jobs.advance(working, JobProgress(JobStage.TRANSCRIBING, 65.0, 3600.0, 100.0))

    told = office.run("list")

    *lines, summary = told.out.splitlines()
    of = {line.split()[0]: line for line in lines}
    assert told.code == 0
    assert of[str(waiting.id)].endswith("call.wav")
    assert f"{TENANT}  queued " in of[str(waiting.id)]
    assert f"{OTHER}  processing " in of[str(working.job.id)]
    assert of[str(working.job.id)].endswith("old  1:05/1:00:00      https://host/talk.ogg")
    assert summary.startswith("1 queued (the oldest for ")
    assert summary.endswith(" s), 1 processing")


def test_a_list_can_be_of_one_tenant_and_state(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs, failed = office.add(), office.add(OTHER), office.fail(office.add(OTHER))

    def ids(*arguments: object) -> set[str]:
        return {job["id"] for job in office.told("list", *arguments)["jobs"]}

    assert ids() == {str(ours.id), str(theirs.id), str(failed.id)}
    assert ids("--tenant", OTHER) == {str(theirs.id), str(failed.id)}
    assert ids("--state", "FAILED") == {str(failed.id)}
    monkeypatch.setenv("MOCK_TENANT_ID", str(TENANT))
    assert ids() == {str(ours.id)}
    assert ids("--tenant", OTHER, "--state", "queued") == {str(theirs.id)}
    assert len(ids("--all")) == 3
    assert office.run("list", "--all", "--tenant", OTHER).code == 2


def test_a_list_goes_on_over_pages_and_has_an_end(office: Office) -> None:
    for _ in range(105):
        office.add()  # more than one page

    assert len(office.told("list", "--limit", 104)["jobs"]) == 104
    assert office.told("list", "--limit", 104)["more"] is True
    assert office.told("list", "--limit", 500)["more"] is False
    assert "--limit 2 was reached" in office.run("list", "--limit", 2).err


def test_a_job_is_shown_with_its_problem_and_no_secret(office: Office) -> None:
    failed = office.fail(office.add(url="https://user:pass@host/talk.ogg?sig=x", note=STEERING))

    lines = dict(line.split(maxsplit=1) for line in office.run("show", failed.id).out.splitlines())

    assert lines["state"] == "failed"
    assert lines["problem.reason"] == "undecodable-audio"
    assert lines["source.url"] == "https://host/talk.ogg"
    assert lines["retried_as"] == "-"
    assert "\x1b" not in str(lines)


def test_a_job_that_is_not_there_is_named(office: Office) -> None:
    missing = uuid4()

    for command in ("show", "watch"):
        told = office.run(command, missing)
        assert (told.code, told.err) == (1, f"Error: There is no job {missing}.\n")
    for command in ("cancel", "retry"):
        told = office.run(command, missing)
        assert (told.code, told.err) == (1, f"{missing}: There is no such job.\n")


def test_jobs_are_cancelled_once(office: Office) -> None:
    waiting, working, done = office.add(), office.lease(office.add()).job, office.complete(office.add())

    told = office.run("cancel", waiting.id, working.id, done.id)
    again = office.run("cancel", waiting.id)

    assert told.code == 1
    assert office.read(waiting).state is office.read(working).state is JobState.CANCELLED
    assert office.read(done).state is JobState.COMPLETED
    assert f"{done.id}: The job had ended already: it is completed." in told.err
    assert again.code == 0


def test_a_retry_is_a_new_job_and_a_second_one_finds_it(office: Office) -> None:
    failed, done = office.fail(office.add()), office.complete(office.add())

    (first,), (second,) = office.told("retry", failed.id)["jobs"], office.told("retry", failed.id)["jobs"]
    refused = office.run("retry", done.id, "--json")

    assert first["id"] == second["id"] != str(failed.id)
    assert first["retry_of"] == str(failed.id)
    assert office.read(failed).retried_as == UUID(first["id"])
    assert refused.code == 1
    (outcome,) = json.loads(refused.out)["jobs"]
    assert outcome["id"] == str(done.id)
    assert outcome["error"]["type"] == "JobNotRetryableError"


def test_watching_ended_jobs_tells_how_they_ended(office: Office) -> None:
    done, failed = office.complete(office.add(file="good.wav")), office.fail(office.add(file="bad.wav"))

    alone, both = office.run("watch", done.id), office.run("watch", done.id, failed.id)

    assert (alone.code, alone.out) == (0, "")
    assert "good.wav: completed, 0:04 of sound" in alone.err
    assert both.code == 1
    assert "bad.wav: failed, undecodable-audio: Bytes are missing." in both.err


def test_an_export_has_the_text_and_the_fate_of_the_event(office: Office) -> None:
    event = an_event()
    done = office.complete(office.add(file="call.wav"), event)
    (lease,) = office.outbox.lease_due(1, lease_seconds=60)
    office.outbox.record([Published(lease, "receipt")])

    people = office.run("export", done.id)
    (machines,) = office.told("export", done.id)["results"]

    assert people.out == "call.wav\n  Hello. The world.\n  event published receipt\n"
    assert (machines["id"], machines["cleaned_transcript"]) == (str(done.id), "Hello. The world.")
    assert machines["event"] == {"status": "published", "event_id": "receipt"}


@pytest.mark.parametrize("form", ["txt", "srt", "vtt", "json"])
def test_an_export_of_one_form_is_printed_alone(office: Office, form: str) -> None:
    done = office.complete(office.add())

    told = office.run("export", done.id, "--format", form)

    assert (told.code, told.err) == (0, "")
    assert ("Hello. The world." if form in {"txt", "json"} else "um hello") in told.out
    assert "event disabled" not in told.out


def test_exports_are_written_to_files_that_are_named_like_the_recordings(
    office: Office, tmp_path: Path
) -> None:
    one, two, twin = (office.complete(office.add(file=file)) for file in ("a.b.wav", "two.mp3", "two.ogg"))

    told = office.run("export", one.id, two.id, twin.id, "--format", "srt", "--output", tmp_path / "out")
    again = office.run("export", one.id, "--format", "srt", "--output", tmp_path / "out")

    assert told.code == 0
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "a.b.srt",
        f"{two.id}.srt",
        f"{twin.id}.srt",
    }
    assert again.code == 2
    assert "exists already; add --overwrite" in again.err


@pytest.mark.parametrize("file", ["../up.wav", "/etc/x.wav", ".hidden", "..", "", "a/b.wav", STEERING])
def test_a_callers_name_leads_to_no_other_folder(office: Office, tmp_path: Path, file: str) -> None:
    done = office.complete(office.add(file=file))

    assert office.run("export", done.id, "--output", tmp_path / "out").code == 0

    assert [each.name for each in (tmp_path / "out").iterdir()] == [f"{done.id}.txt"]


def test_a_job_without_a_transcript_does_not_keep_the_others(office: Office) -> None:
    done, failed, waiting = office.complete(office.add()), office.fail(office.add()), office.add()

    told = office.run("export", failed.id, waiting.id, done.id, "--json")

    first, second, third = json.loads(told.out)["results"]
    assert told.code == 1
    assert first["error"]["type"] == "JobWithoutTranscriptError"
    assert second["error"]["type"] == "JobUnfinishedError"
    assert third["cleaned_transcript"] == "Hello. The world."
