"""`transcripts erase`: what it erases, shows and leaves, and its exit codes."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from adapters.sql.database import Database
from adapters.sql.erasures.erasures import SqlErasures
from adapters.sql.jobs.jobs import SqlJobs
from adapters.sql.outbox.outbox import SqlOutbox
from bootstrap.factories.database import prepare_database
from domain.model.errors import JobStoreUnavailableError, RecordingStoreUnavailableError
from domain.model.events.erased import TranscriptErased
from domain.model.events.failed import BatchProcessingFailed
from domain.model.jobs import Job, StoredRecording
from domain.model.outbox import Published
from tests.support.harness.command_line import Caller, Told
from tests.support.samples.factories import an_event
from tests.support.samples.jobs import QUEUE, a_result, an_order, completed

TENANT = uuid4()


class Shop(NamedTuple):
    """The stores of a service, and what the command says of them."""

    folder: Path
    database: Database
    capsys: pytest.CaptureFixture[str]

    @property
    def jobs(self) -> SqlJobs:
        return SqlJobs(self.database)

    @property
    def outbox(self) -> SqlOutbox:
        return SqlOutbox(self.database)

    def queued(self) -> Job:
        """Add a job with a recording in its folder."""
        key = f"{uuid4().hex}-{uuid4().hex}"
        (self.folder / "recordings").mkdir(exist_ok=True)
        (self.folder / "recordings" / key).write_bytes(b"sound")
        order = an_order(tenant_id=TENANT, recording=StoredRecording(key, "0" * 64, 5))
        return self.jobs.add(order)

    def ended(self) -> Job:
        """Add a job, and complete it."""
        job = self.queued()
        (lease,) = self.jobs.claim([QUEUE], limit=1, lease_seconds=60)
        assert self.jobs.complete(lease, a_result(), completed(lease.job))
        return job

    def recordings(self) -> list[Path]:
        return list((self.folder / "recordings").iterdir())

    def run(self, *arguments: object) -> Told:
        return Caller(self.capsys)("erase", *map(str, arguments))

    def told(self, *arguments: object) -> dict[str, Any]:
        return self.run(*arguments, "--yes", "--json").answer


@pytest.fixture
def shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shop]:
    url = f"sqlite:///{tmp_path}/transcripts.db"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("EVENT_TRANSPORT", "eventbridge")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    database = prepare_database(url)
    yield Shop(tmp_path, database, capsys)
    database.close()


def test_a_job_is_erased_with_all_that_belongs_to_it(shop: Shop) -> None:
    job, other = shop.ended(), an_event()
    shop.outbox.add(other)

    answer = shop.told("--tenant", TENANT, "--requested-by", "ticket 7")

    assert answer["ok"]
    assert answer["erased"] == {
        "interactions": 1,
        "cancelled": 0,
        "jobs": 1,
        "events": 1,
        "answers": 0,
        "recordings": 1,
        "payloads": 0,
        "announced": 0,
    }
    assert shop.jobs.find(job.id) is None
    assert shop.recordings() == []
    assert [record.event for record in shop.outbox.records()] == [other]


def test_erasures_are_announced_where_this_machine_cannot_reach_the_bus(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_KINDS", "completed,erased")
    monkeypatch.setenv("AWS_PROFILE", "of-another-machine")
    for _ in range(2):
        shop.ended()

    answer = shop.told("--tenant", TENANT)

    assert (answer["ok"], answer["erased"]["interactions"], answer["erased"]["announced"]) == (True, 2, 2)
    assert {type(record.event) for record in shop.outbox.records()} == {TranscriptErased}


def test_a_user_of_the_machine_without_a_name_may_erase(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setenv("EVENT_KINDS", "completed,erased")
    shop.ended()

    assert shop.told("--tenant", TENANT)["ok"]

    (record,) = shop.outbox.records()
    assert isinstance(record.event, TranscriptErased)
    assert record.event.data.requested_by == f"operator {os.getuid()}"


def test_a_second_run_finds_nothing(shop: Shop) -> None:
    job = shop.ended()
    shop.told("--interaction", job.id)

    again = shop.told("--interaction", job.id)

    assert again["ok"]
    assert not any(again["erased"].values())


def test_a_job_at_work_is_cancelled_and_then_erased(shop: Shop) -> None:
    job = shop.queued()
    (lease,) = shop.jobs.claim([QUEUE], limit=1, lease_seconds=60)

    answer = shop.told("--interaction", job.id)

    assert (answer["erased"]["cancelled"], answer["erased"]["jobs"]) == (1, 1)
    assert not shop.jobs.complete(lease, a_result(), completed(lease.job))
    (record,) = shop.outbox.records()
    assert isinstance(record.event, BatchProcessingFailed)


def test_an_interaction_that_no_store_knows_is_erased_if_its_tenant_is_named(shop: Shop) -> None:
    interaction = uuid4()

    assert shop.told("--interaction", interaction)["erased"]["interactions"] == 0
    assert shop.told("--interaction", interaction, "--tenant", TENANT)["erased"]["interactions"] == 1
    assert SqlErasures(shop.database).erased([interaction]) == {interaction}


def test_one_users_interactions_are_erased_and_no_others(shop: Shop) -> None:
    users = {name: an_event(tenant_id=TENANT, user_id=name) for name in ("alice", "bob")}
    for event in users.values():
        lease = shop.outbox.add(event, lease_seconds=60)
        shop.outbox.record([Published(lease, "event-1")])

    shop.told("--tenant", TENANT, "--user", "alice")

    (left,) = shop.outbox.records()
    assert left.interaction_id == users["bob"].interaction_id


def test_a_dry_run_lists_and_changes_nothing(shop: Shop) -> None:
    job = shop.ended()

    code, out, _ = shop.run("--tenant", TENANT, "--dry-run")
    listed = shop.run("--tenant", TENANT, "--dry-run", "--json").answer

    assert code == 0
    assert "1 interactions would be erased" in out
    assert listed["interactions"] == [
        {"interaction_id": str(job.id), "tenant_id": str(TENANT), "user_id": "user-7"}
    ]
    assert shop.jobs.result(job.id)
    assert len(shop.recordings()) == 1


@pytest.mark.parametrize("before", ["2020-01-01", "2020-01-01T00:00:00"])
def test_newer_interactions_stay(shop: Shop, before: str) -> None:
    job = shop.ended()

    assert shop.told("--tenant", TENANT, "--before", before)["erased"]["interactions"] == 0
    assert shop.jobs.result(job.id)


def test_what_is_left_is_told_with_the_reason_and_erased_by_the_next_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = shop.ended()

    def away(*_: object) -> None:
        raise RecordingStoreUnavailableError("the disk is away")

    with monkeypatch.context() as patched:
        patched.setattr("adapters.files.recordings.FolderRecordingStore.erase", away)
        first = shop.run("--tenant", TENANT, "--yes", "--json")

    assert first.code == 1
    assert json.loads(first.out)["pending"] == {str(job.id): "the disk is away"}
    assert len(shop.recordings()) == 1
    assert shop.run("--pending", "--json").answer["erased"]["recordings"] == 1
    assert shop.recordings() == []


def test_an_interrupted_erasure_says_how_to_go_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.ended()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("adapters.files.recordings.FolderRecordingStore.erase", interrupted)
        told = shop.run("--tenant", TENANT, "--yes")

    assert told.code == 130
    assert "run the same command again" in told.out
    assert shop.told("--tenant", TENANT)["erased"]["recordings"] == 1
    assert shop.recordings() == []


def test_a_failure_of_the_database_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.ended()

    def away(*_: object) -> None:
        raise JobStoreUnavailableError("the database is away")

    monkeypatch.setattr("adapters.sql.erasures.erasures.SqlErasures.erase", away)

    told = shop.run("--tenant", TENANT, "--yes")

    assert told.code == 1
    assert "the database is away" in told.out


def test_the_report_says_what_expires_when(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_DAYS", "0")

    _, out, _ = shop.run("--tenant", TENANT, "--yes")

    assert "never: delete the archive as a whole" in out
    assert "dead-letter queue" in out


@pytest.mark.parametrize(("texts", "note"), [("inline", "not consumed yet"), ("reference", "references")])
def test_references_lead_nowhere_after_an_erasure(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, texts: str, note: str
) -> None:
    monkeypatch.setenv("EVENT_TEXTS", texts)
    monkeypatch.setenv("PAYLOAD_BUCKET", "large-transcripts")

    places = shop.run("--interaction", uuid4(), "--yes", "--json")

    assert note in json.loads(places.out)["expires"][0]["note"]


@pytest.mark.parametrize(
    "arguments",
    [(), ("--user", "alice"), ("--interaction", uuid4(), "--user", "a"), ("--tenant", TENANT, "--user", "")],
    ids=["nothing", "user alone", "user of an interaction", "empty user"],
)
def test_too_little_is_refused(shop: Shop, arguments: tuple[object, ...]) -> None:
    assert shop.run(*arguments, "--yes").code == 2


def test_without_an_answer_nothing_is_erased(shop: Shop) -> None:
    job = shop.ended()

    assert shop.run("--tenant", TENANT).code == 2
    assert shop.run("--tenant", TENANT, "--json").code == 2
    assert shop.jobs.result(job.id)


def a_kind_of(shop: Shop, interaction_id: UUID) -> type[object]:
    record = shop.outbox.find(interaction_id)
    assert record
    return type(record.event)


def test_consumers_are_told_where_that_kind_of_event_is_sent(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_KINDS", "completed,erased")
    job = shop.ended()

    assert shop.told("--tenant", TENANT)["erased"]["announced"] == 1
    assert a_kind_of(shop, job.id) is TranscriptErased
